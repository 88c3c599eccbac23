/** What a process can host. */
export type Role = 'scheduler' | 'client' | 'worker'
