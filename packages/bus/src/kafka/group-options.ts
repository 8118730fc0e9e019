import type { Kafka } from 'kafkajs'
import type { BusLog } from '../log.ts'
import type { Group, GroupLimits } from './partition.ts'

export interface GroupConsumerOptions extends GroupLimits {
  readonly kafka: Kafka
  readonly groupId: string
  readonly topic: string
  readonly log: BusLog
  /**
   * Handles a group; when it resolves the group is done. It may be called again for a group that it was called for, here or elsewhere,
   * with the same messages.
   *
   * @param cancelled  aborts when the partition went to somebody else: trying again is no longer ours
   * @throws only when the consumer is to give the partition up
   */
  readonly handle: (group: Group, cancelled: AbortSignal) => Promise<void>
  /** Groups handled at a time, of as many partitions. */
  readonly concurrency: number
  /** Octets that wait beside the groups that are handled; beyond it nothing is fetched. Default four groups. */
  readonly maxWaitingOctets?: number
  /** Default 30 s: a member that is silent for so long is taken for dead. */
  readonly sessionTimeoutMs?: number
}

export interface PartitionStatus {
  readonly partition: number
  /** What is committed: the offset that is handled next. */
  readonly position: bigint
  /** Messages behind the end of the partition, as far as it is known. */
  readonly lag: bigint
  readonly waitingOctets: number
}

/** Since the start. */
export interface GroupCounters {
  readonly groups: number
  /** Groups that somebody had begun before. */
  readonly repeated: number
  /** Messages that the topic had dropped before they were handled: its retention is too short. */
  readonly lost: number
}
