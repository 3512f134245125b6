// Hooks over arcano.js, for those who use React 18 or later.
import { useCallback, useEffect, useRef, useState } from 'react'
import { alsoCancelOnLeave, cancelSession, sessionId, uploadThenCreate, watchActiveJob } from './arcano.js'

/** The job in the user's way, kept up to date; undefined until it is known. */
export function useActiveJob() {
  /** @type {ReturnType<typeof useState<import('./arcano.js').ActiveJob>>} */
  const [active, setActive] = useState()
  useEffect(() => watchActiveJob(setActive), [])
  const release = useCallback(() => cancelSession({ reason: 'The user released it' }), [])
  return { active, release }
}

/**
 * Cancels this visit's waiting jobs when the page goes away, for as long as a component is there that asks for it: one
 * that does not takes it from no other, nor from the app's own cancelOnLeave.
 * @param {boolean} shouldCancelOnLeave
 */
export function useCancelOnLeave(shouldCancelOnLeave) {
  useEffect(() => (shouldCancelOnLeave ? alsoCancelOnLeave(sessionId()) : undefined), [shouldCancelOnLeave])
}

/**
 * `start(file)` uploads it and makes the job of it; a component that goes away ends that.
 * @param {import('./arcano.js').UploadOptions} options
 */
export function useUploadThenCreate(options) {
  const [progress, setProgress] = useState(0)
  const [error, setError] = useState(/** @type {unknown} */ (undefined))
  const [isRunning, setIsRunning] = useState(false)
  const aborts = useRef(/** @type {Set<AbortController>} */ (new Set()))
  const latest = useRef(options)
  latest.current = options
  // All of them: a second click is the first one's upload, which knows the first one's signal alone.
  useEffect(() => () => aborts.current.forEach((abort) => abort.abort()), [])

  const start = useCallback(async (/** @type {Blob & { name?: string }} */ file) => {
    const controller = new AbortController()
    aborts.current.add(controller)
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
      aborts.current.delete(controller)
      setIsRunning(aborts.current.size > 0)
    }
  }, [])
  return { start, progress, error, isRunning }
}
