import type { ActiveJob, CancelledJob, UploadOptions } from './arcano.js'

/** The job in the user's way, kept up to date; undefined until it is known. */
export function useActiveJob(): {
  active: ActiveJob | undefined
  release: () => Promise<{ cancelled: CancelledJob[] }>
}

/** Cancels this visit's waiting jobs when the page goes away, for as long as the component is there. */
export function useCancelOnLeave(shouldCancelOnLeave: boolean): void

/** `start(file)` uploads it and makes the job of it; `error` is a UserBlocked where another job is in the way. */
export function useUploadThenCreate(options: UploadOptions): {
  start: (file: Blob & { name?: string }) => Promise<{ jobTable: string; jobId: string; created: boolean } | undefined>
  progress: number
  error: unknown
  isRunning: boolean
}
