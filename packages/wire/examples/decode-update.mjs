// One BGP UPDATE, here an EVPN MAC/IP route in hex: node decode-update.mjs
import { parseBgpMessage } from '@ribscope/wire'

const hex =
  'ffffffffffffffffffffffffffffffff006b0200000054900e0030001946040a00ff0b0002250001' +
  '0a00ff0b800700000000000000000000000000003002000000ac0120ac10010b0027744001010040' +
  '020602010000fbf1c010100002fbf100002774030c000000000008'
const bytes = Uint8Array.from(hex.match(/../g), (octet) => parseInt(octet, 16))

const { message, errors } = parseBgpMessage(bytes)
if (message?.type === 'update') {
  for (const { family, nextHop, routes } of message.announced) {
    for (const route of routes) console.log(family, nextHop, route)
  }
  for (const attribute of message.attributes) {
    if (attribute.kind === 'as_path') console.log('AS path', attribute.text)
  }
}
for (const { message, handling } of errors) console.error(message, handling)
