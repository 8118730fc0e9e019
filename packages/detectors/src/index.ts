export { detectorViews } from './views.ts'
