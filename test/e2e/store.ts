/** Test helper: how recordings are analysed without making the schema each time. */
import { detectorViews } from '@ribscope/detectors'
import { openMigratedStore } from '@ribscope/store/testing'

export const openStore = (options: { dataDir: string }) =>
  openMigratedStore(options, detectorViews())
