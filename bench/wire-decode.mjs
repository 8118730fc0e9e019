// Framer + UpdateIndex + walkNlri with a counting sink over BMP streams, nothing else.
//   node bench/wire-decode.mjs FILE.bmp... [--passes N]
// Prints CPU seconds, M routes/s and CPU-s per M routes, each also as a ratio to reading the file and to
// a calibration loop in the same run: absolute figures of a shared machine mean little.
import { closeSync, openSync, readSync } from 'node:fs'
import {
  BMP_ROUTE_MONITORING,
  BMP_BODY_OFFSET,
  BmpFramer,
  PeerHeader,
  UpdateIndex,
  isEndOfRib,
  updatePduAt,
  walkNlri,
} from '../packages/wire/dist/index.js'

const CHUNK_OCTETS = 65536

class CountSink {
  routes = 0
  checksum = 0
  prefix(bytes, at, bits, pathId, labelsAt, labelCount, rdAt) {
    this.routes++
    this.checksum =
      (this.checksum + bits + pathId + labelCount + (bits > 0 ? bytes[at] : 0) + rdAt) | 0
  }
  evpn(bytes, routeType, start, end, pathId) {
    this.routes++
    this.checksum = (this.checksum + routeType + end - start + bytes[start + 7] + pathId) | 0
  }
  family(bytes, nlri, start, end, pathId) {
    this.routes++
    this.checksum = (this.checksum + end - start + pathId) | 0
  }
  opaque(bytes, start, end) {
    this.routes++
    this.checksum = (this.checksum + end - start) | 0
  }
}

function eachChunk(file, onChunk) {
  const fd = openSync(file, 'r')
  const buffer = new Uint8Array(CHUNK_OCTETS)
  let octets = 0
  for (;;) {
    const got = readSync(fd, buffer, 0, CHUNK_OCTETS, null)
    if (got === 0) break
    octets += got
    onChunk(got === CHUNK_OCTETS ? buffer : buffer.subarray(0, got))
  }
  closeSync(fd)
  return octets
}

function decode(file) {
  const sink = new CountSink()
  const header = new PeerHeader()
  const index = new UpdateIndex()
  let messages = 0
  let updates = 0
  let errors = 0
  let eor = 0
  let withdrawn = 0
  const framer = new BmpFramer((bytes, start, end) => {
    messages++
    if (bytes[start + 5] !== BMP_ROUTE_MONITORING || end - start < BMP_BODY_OFFSET) return
    const view = framer.view
    header.read(bytes, view, start + 6, end)
    const pdu = updatePduAt(bytes, view, start, end)
    index.read(bytes, view, pdu, end, undefined, header)
    updates++
    for (let i = 0; i < index.fieldCount; i++) {
      const field = index.fields[i]
      const before = sink.routes
      walkNlri(index, field, sink)
      if (field.action === 1) withdrawn += sink.routes - before
    }
    if (index.fieldCount === 0 && isEndOfRib(index) !== undefined) eor++
    errors += index.errors.length
  })
  const octets = eachChunk(file, (chunk) => framer.push(chunk))
  return {
    octets,
    messages,
    updates,
    routes: sink.routes,
    withdrawn,
    eor,
    errors,
    pending: framer.pending,
  }
}

/** CPU seconds (user and system) of `run`. */
function cpu(run) {
  const before = process.cpuUsage()
  const result = run()
  const used = process.cpuUsage(before)
  return { seconds: (used.user + used.system) / 1e6, result }
}

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1]

/** Integer arithmetic over 64 KiB, as much work on any machine. */
function calibrate() {
  const data = new Uint8Array(65536).map((_, i) => i * 7)
  let sum = 0
  for (let round = 0; round < 2000; round++)
    for (let i = 0; i < data.length; i++) sum = (Math.imul(sum, 31) + data[i]) | 0
  return sum
}

const args = process.argv.slice(2)
const passesAt = args.indexOf('--passes')
const passes = passesAt < 0 ? 5 : Number(args.splice(passesAt, 2)[1])
if (args.length === 0) {
  console.error('usage: node bench/wire-decode.mjs FILE.bmp... [--passes N]')
  process.exit(2)
}
const loop = median([1, 2, 3].map(() => cpu(calibrate).seconds))
console.log(`calibration loop ${loop.toFixed(3)} CPU-s (131 M steps)`)
for (const file of args) {
  const read = median([1, 2, 3].map(() => cpu(() => eachChunk(file, () => {})).seconds))
  const runs = Array.from({ length: passes }, () => cpu(() => decode(file)))
  const { result } = runs[0]
  const seconds = median(runs.map((run) => run.seconds))
  const m = result.routes / 1e6
  console.log(`${file}: ${JSON.stringify(result)}`)
  console.log(
    `  first pass ${(m / runs[0].seconds).toFixed(1)} M routes/s, median ${(m / seconds).toFixed(1)} M routes/s ` +
      `(${(seconds / m).toFixed(4)} CPU-s per M), ${(seconds / read).toFixed(1)}x reading the file, ` +
      `${(seconds / m / loop).toFixed(3)} calibration loops per M routes`,
  )
}
