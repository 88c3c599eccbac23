import { ignoreLostOutput } from '../util/lost-output.ts'
import { printableOutput } from '../util/printable.ts'

/**
 * Passes on the lines of a component, with who says so before each: colours and tabs as they are, and whatever else would
 * move the cursor of a terminal as text. The output of the client program is its own, and does not come this way.
 */
export function passOn(who: string): (line: string, stream?: 'stdout' | 'stderr') => void {
  return (line, stream = 'stderr') => {
    ignoreLostOutput()
    process[stream].write(`${who} ${printableOutput(line)}\n`)
  }
}
