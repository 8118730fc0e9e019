import { compare, type Place, type Route, type Tally, type Told } from './model.ts'
import type { Message } from './ours.ts'

/** Families that every adapter takes apart. */
function isCompared({ afi, safi }: Route): boolean {
  return afi === 25 ? safi === 70 : afi <= 2 && [1, 2, 4, 128].includes(safi)
}

/** Compares a message with what an oracle tells of it; `told` undefined: nothing at all. */
export function compareTold(
  tally: Tally,
  place: Omit<Place, 'facts'>,
  message: Message,
  told: Told | undefined,
): void {
  if (told === undefined) {
    if (message.routes.length > 0) tally.skip(place.oracle, 'no decode of the message')
    return
  }
  if ('why' in told) return tally.skip(place.oracle, told.why)
  const { families, addPath } = told
  const isTold = (route: Route): boolean =>
    families === undefined ? isCompared(route) : families.has(`${route.afi}/${route.safi}`)
  const facts = { ...message.facts, theirsAddPath: addPath, theirsRoutes: told.routes.length }
  compare(tally, { ...place, facts }, message.routes.filter(isTold), told.routes)
}
