import type { MemberOrders } from '../runner/local-runner.ts'
import { MemberRunner } from '../runner/local-runner.ts'

/** One process of a `local` run: takes its orders from standard input, which stays open as long as the run. */
export async function runMember(): Promise<void> {
  const { identity, options } = JSON.parse(await firstLine()) as MemberOrders
  await MemberRunner.start({ ...options, identityOfMember: identity })
}

async function firstLine(): Promise<string> {
  const { stdin } = process
  stdin.setEncoding('utf8')
  return await new Promise((resolve, reject) => {
    let text = ''
    const read = (chunk: string): void => {
      text += chunk
      const end = text.indexOf('\n')
      if (end === -1) return
      stdin.off('data', read)
      resolve(text.slice(0, end))
    }
    stdin.on('data', read)
    stdin.once('end', () => {
      reject(new Error('Cannot take part: no orders came'))
    })
  })
}
