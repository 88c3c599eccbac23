/** What the oar.conf of all hosts of a cluster has beside Debian's: the last word on a setting counts. */
export function oarConf({ base, server }: { readonly base: string; readonly server: string }): string {
  const settings: Readonly<Record<string, string>> = {
    DB_HOSTNAME: server,
    DB_BASE_PASSWD: 'oar',
    DB_BASE_PASSWD_RO: 'oar_ro',
    SERVER_HOSTNAME: server,
    LOG_LEVEL: '3',
    LOG_FILE: `${base}/log/oar.log`,
    // It never asks whether a host is alive, neither by itself nor before a job.
    FINAUD_FREQUENCY: '0',
    PINGCHECKER_SENTINELLE_SCRIPT_COMMAND: '/bin/true',
    SCHEDULER_JOB_SECURITY_TIME: '1',
    SCHEDULER_MIN_TIME_BETWEEN_2_CALLS: '1',
    // The control groups of a host are below one that is named after it.
    GET_CURRENT_CPUSET_CMD: "grep -o '/oar/[^/]*' /proc/self/cpuset",
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name}="${value}"\n`)
  return `\n${lines.join('')}`
}
