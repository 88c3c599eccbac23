type Tell = (error: unknown) => Promise<void>

let tell: Tell | undefined

/** How this process tells others of a defect of the program that ends it. The last call counts. */
export function tellDefectsBy(own: Tell): void {
  tell = own
}

/** Tells whoever is to be told that a defect ends this process. Does not throw. */
export async function tellDefect(error: unknown): Promise<void> {
  try {
    await tell?.(error)
  } catch {
    // The others notice that this process is gone, and not why.
  }
}
