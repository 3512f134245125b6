// Hooks over arcano.js, for those who use React 18 or later.
import { useCallback, useEffect, useRef, useState } from 'react'
import { cancelOnLeave, cancelSession, sessionId, uploadThenCreate, watchActiveJob } from './arcano.js'

/** The job in the user's way, kept up to date; undefined until it is known. */
export function useActiveJob() {
  /** @type {ReturnType<typeof useState<import('./arcano.js').ActiveJob>>} */
  const [active, setActive] = useState()
  useEffect(() => watchActiveJob(setActive), [])
  const release = useCallback(() => cancelSession({ reason: 'The user released it' }), [])
  return { active, release }
}

// How many components want it: one that does not takes it from no other.
let wantingToCancel = 0

/**
 * Cancels this visit's waiting jobs when the page goes away, for as long as a component is there that asks for it.
 * @param {boolean} shouldCancelOnLeave
 */
export function useCancelOnLeave(shouldCancelOnLeave) {
  useEffect(() => {
    /** @param {number} more */
    const want = (more) => {
      wantingToCancel += more
      cancelOnLeave(sessionId(), wantingToCancel > 0)
    }
    want(shouldCancelOnLeave ? 1 : 0)
    return () => want(shouldCancelOnLeave ? -1 : 0)
  }, [shouldCancelOnLeave])
}

/**
 * `start(file)` uploads it and makes the job of it; a component that goes away ends that.
 * @param {import('./arcano.js').UploadOptions} options
 */
export function useUploadThenCreate(options) {
  const [progress, setProgress] = useState(0)
  const [error, setError] = useState(/** @type {unknown} */ (undefined))
  const [isRunning, setIsRunning] = useState(false)
  const abort = useRef(/** @type {AbortController | undefined} */ (undefined))
  const latest = useRef(options)
  latest.current = options
  useEffect(() => () => abort.current?.abort(), [])

  const start = useCallback(async (/** @type {Blob & { name?: string }} */ file) => {
    const controller = (abort.current = new AbortController())
    setProgress(0)
    setError(undefined)
    setIsRunning(true)
    try {
      return await uploadThenCreate(file, {
        sessionId: sessionId(),
        ...latest.current,
        onProgress: setProgress,
        signal: controller.signal,
      })
    } catch (error) {
      setError(error)
      return undefined
    } finally {
      setIsRunning(false)
    }
  }, [])
  return { start, progress, error, isRunning }
}
