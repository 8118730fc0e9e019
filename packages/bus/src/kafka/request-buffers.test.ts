import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { givesBack, takeBuffer } from './request-buffers.ts'

const OCTETS = 3 << 20
let accepted: Socket[] = []
const server = createServer((socket) => accepted.push(socket))
beforeEach(async () => {
  accepted = []
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterEach(async () => {
  for (const socket of accepted) socket.destroy()
  server.close()
  await once(server, 'close')
})

async function open(): Promise<Socket> {
  const socket = givesBack(connect((server.address() as AddressInfo).port, '127.0.0.1'))
  await Promise.all([once(socket, 'connect'), once(server, 'connection')])
  return socket
}

test('what the socket has written is used again, and not before', async () => {
  const socket = await open()
  const first = takeBuffer(OCTETS).fill(1)
  let written = false
  const done = new Promise<void>((resolve) => {
    socket.write(first, 'binary', () => {
      written = true
      resolve()
    })
  })
  // More than sockets hold: nobody reads yet.
  const second = takeBuffer(OCTETS).fill(2)
  expect(written).toBe(false)
  expect(second.buffer).not.toBe(first.buffer)
  let received = 0
  accepted[0]!.on('data', (chunk) => {
    expect(chunk.every((octet) => octet === 1)).toBe(true)
    received += chunk.length
  })
  await done
  const third = takeBuffer(OCTETS - 10)
  expect(third.buffer).toBe(first.buffer)
  expect(third).toHaveLength(OCTETS - 10)
  socket.end()
  await once(accepted[0]!, 'end')
  expect(received).toBe(OCTETS)
})

test('what a socket could not write is not used again', async () => {
  const socket = await open()
  const lost = takeBuffer(OCTETS)
  const over = new Promise((resolve) => socket.write(lost, resolve))
  socket.destroy()
  await over
  expect(takeBuffer(OCTETS).buffer).not.toBe(lost.buffer)
})
