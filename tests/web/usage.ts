// An app that uses the module as its types say, for the compiler to read.
import { cancelOnLeave, sessionId, uploadThenCreate, UserBlocked } from './arcano.js'
import { useActiveJob, useCancelOnLeave, useUploadThenCreate } from './arcano-react.js'

const dialog = document.querySelector('active-job-dialog')

export async function enlarge(file: File): Promise<string | undefined> {
  cancelOnLeave(sessionId(), true, { whenHidden: false })
  try {
    const { jobId } = await uploadThenCreate(file, {
      jobTable: 'public.upscaler_jobs',
      onProgress: (part: number) => console.log(part),
      upload: (blob, place) => fetch(place.uploadUrl, { method: place.method, body: blob }),
    })
    return jobId
  } catch (error) {
    if (error instanceof UserBlocked) dialog?.show(error.active)
    return undefined
  }
}

export function usePage(): string {
  const { active } = useActiveJob()
  const { progress, isRunning } = useUploadThenCreate({ jobTable: 'public.upscaler_jobs' })
  useCancelOnLeave(isRunning)
  // @ts-expect-error: a status is no boolean
  cancelOnLeave(sessionId(), 'running')
  return `${active?.position ?? 0} ${progress}`
}
