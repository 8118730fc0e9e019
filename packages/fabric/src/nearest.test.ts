import { describe, expect, test } from 'vitest'
import { didYouMean, nearest, typingErrors } from './nearest.ts'

describe('nearest known word', () => {
  test.each([
    ['decode', 'decode', 0],
    ['decdoe', 'decode', 1],
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
  ])('%j to %j takes %i typing errors', (a, b, errors) => {
    expect(typingErrors(a, b)).toBe(errors)
  })

  test('finds a slip, ignores case and the kind of dash', () => {
    const known = ['multipath_relax', 'max_paths_ebgp', 'max_paths_ibgp']
    expect(nearest('multipath-relaxx', known)).toBe('multipath_relax')
    expect(nearest('maxPathsIbgp', known)).toBe('max_paths_ibgp')
  })

  test('offers nothing for a word that resembles nothing', () => {
    expect(nearest('colour', ['asn', 'rack', 'address'])).toBeUndefined()
    expect(didYouMean('colour', ['asn'])).toBe('')
  })

  test('is bounded on words of any length', () => {
    expect(typingErrors('a'.repeat(1e6), 'b'.repeat(1e6))).toBe(64)
  })
})
