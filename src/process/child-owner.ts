import type { Exit } from './exit.ts'
import type { Supervised } from './supervised.ts'

/** What owns a process shows of it. */
export abstract class ChildOwner<C extends Supervised> {
  protected readonly child: C

  constructor(child: C) {
    this.child = child
  }

  get exited(): Promise<Exit> {
    return this.child.exited
  }

  /** The last lines that it printed, oldest first. */
  get tail(): readonly string[] {
    return this.child.tail
  }

  get pid(): number | undefined {
    return this.child.pid
  }

  /** Kills its group; `why`, unless it did not end in the time it was given. */
  kill(why?: string): void {
    this.child.kill(why)
  }

  /** Does not keep us alive. */
  unref(): void {
    this.child.unref()
  }
}
