import { expect, test } from 'vitest'
import { SessionNumbers } from './session-number.ts'

const START = 1_800_000_000_000_000
const ROWS = 30_000_000

test('two collectors at any two instants: neither shares a position with the other', () => {
  for (let i = 0; i < 2000; i++) {
    const at = START + i * 9973
    // Up to a fifth of a second apart, and in the same microsecond.
    const later = at + ((i * 7919) % 200_000) * (i % 2)
    const one = new SessionNumbers('collector-1').next(at, '192.0.2.1')
    const two = new SessionNumbers('collector-2').next(later, '192.0.2.1')
    expect(Math.abs(two - one) * 4096).toBeGreaterThan(ROWS)
    expect(Math.abs(one - at)).toBeLessThan(2 ** 16)
    expect(two * 4096).toBeLessThan(2 ** 63)
  }
})

test('a tenth of a second later is later, whichever collector it is', () => {
  const names = ['a', 'b', 'c', 'collector-0', 'collector-3', 'host.example']
  for (let i = 0; i < 500; i++) {
    const at = START + i * 77_777
    const [first = '', second = ''] = [names[i % names.length], names[(i * 5) % names.length]]
    const one = new SessionNumbers(first).next(at, '192.0.2.1')
    expect(new SessionNumbers(second).next(at + 100_000, '192.0.2.1')).toBeGreaterThan(one)
  }
})

test('one collector: they grow, also when the clock stands still or goes back', () => {
  const numbers = new SessionNumbers('c')
  let last = 0
  for (let i = 0; i < 10_000; i++) {
    const next = numbers.next(START + (i % 3 === 0 ? -i : i), `10.0.${i >> 8}.${i & 255}`)
    expect(next).toBeGreaterThan(last)
    last = next
  }
  expect(last - START).toBeLessThan(2 ** 20)
})

test('a router that is there twice has room for the rows of both; many behind one address do not run ahead', () => {
  const numbers = new SessionNumbers('c')
  const one = numbers.next(START, '192.0.2.1')
  expect((numbers.next(START + 50, '192.0.2.1') - one) * 4096).toBeGreaterThan(16_000_000)
  let last = 0
  for (let i = 0; i < 2000; i++) last = numbers.next(START + i, '192.0.2.1')
  expect(last - START).toBeLessThan(2 ** 18)
})
