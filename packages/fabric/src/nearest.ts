/** "Did you mean": the known word with the fewest typing errors in between. */

/**
 * Edit distance where a swap of two neighbouring letters is one error (optimal string alignment).
 * Both words are cut to 64 letters: they may come from a file or a command line of any length.
 */
export function typingErrors(a: string, b: string): number {
  const s = a.slice(0, 64)
  const t = b.slice(0, 64)
  let beforeLast: number[] = []
  let last = Array.from({ length: t.length + 1 }, (_, j) => j)
  for (let i = 1; i <= s.length; i++) {
    const row = [i]
    for (let j = 1; j <= t.length; j++) {
      const differs = s[i - 1] === t[j - 1] ? 0 : 1
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + differs)
      if (i > 1 && j > 1 && s[i - 1] === t[j - 2] && s[i - 2] === t[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1)
      }
      row.push(cost)
    }
    beforeLast = last
    last = row
  }
  return last[t.length] ?? 0
}

/** The nearest known word, when it is near enough to be meant; the earlier one of equals. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const plain = (text: string): string => text.toLowerCase().replace(/[-_]/g, '')
  let best: string | undefined
  let fewest = Math.max(1, Math.floor(plain(word).length / 3)) + 1
  for (const candidate of known) {
    const errors = typingErrors(plain(word), plain(candidate))
    if (errors < fewest) {
      best = candidate
      fewest = errors
    }
  }
  return best
}

/** `, did you mean "x"?` or nothing, to end an error message with. */
export function didYouMean(word: string, known: readonly string[]): string {
  const found = nearest(word, known)
  return found === undefined ? '' : `, did you mean ${found}?`
}
