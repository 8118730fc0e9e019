/** The detectors as SQL views, read alike by the analyst, the API, Grafana and SQL users. */
import { loadSqlFolder } from '@ribscope/store'
import type { SqlFile } from '@ribscope/store'

export const detectorViews = (): SqlFile[] =>
  loadSqlFolder(new URL('../sql/views/', import.meta.url))
