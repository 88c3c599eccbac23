import { endByDefect } from '../util/defects.ts'

/** What nobody has foreseen ends this process as {@link endByDefect} says. */
export function endAtDefects(source: NodeJS.EventEmitter = process): void {
  source.on('uncaughtException', endByDefect)
  source.on('unhandledRejection', endByDefect)
}
