import { expect, test } from 'vitest'
import { newKey, newsPortNameOf } from '../../src/rendezvous/news-port.ts'
import { NewsTeller } from '../../src/rendezvous/tell-news.ts'
import { SimulatedTime } from '../support/simulated-time.ts'

/** Tells `hosts` of 16 processes for 10 s, asked each 250 ms; when each try was, in milliseconds, by port. */
async function tries(hosts: number, isTaken: boolean): Promise<Map<number, number[]>> {
  const time = new SimulatedTime()
  const sent = new Map<number, number[]>()
  using teller = new NewsTeller(16, {
    send: ({ port }) => {
      sent.set(port, [...(sent.get(port) ?? []), time.now])
      return Promise.resolve(isTaken)
    },
    sleep: time.sleep,
    now: () => time.now,
  })
  const names = Array.from({ length: hosts }, (_, port) =>
    newsPortNameOf({ rank: port, key: newKey(), port, addresses: ['10.0.0.1'] }),
  )
  const ask = async (): Promise<void> => {
    teller.tell(names)
    teller.say('news')
    while (time.now < 10_000) {
      teller.tell(['record.json', ...names])
      await time.sleep(250)
    }
  }
  await time.run(ask())
  return sent
}

test('each host is told once, and of 16 processes no more than 190 hosts a second', async () => {
  const times = [...(await tries(400, true)).values()]
  expect(times.map((each) => each.length)).toEqual(Array(400).fill(1))
  const [first, last] = [Math.min(...times.flat()), Math.max(...times.flat())]
  expect(first).toBe(0)
  expect(last).toBeGreaterThan(2_000)
  expect(last).toBeLessThan(2_500)
})

test('who could not be told is tried again after 1, 2 and 4 s', async () => {
  expect(await tries(1, false)).toEqual(new Map([[0, [0, 1_000, 3_000, 7_000]]]))
})
