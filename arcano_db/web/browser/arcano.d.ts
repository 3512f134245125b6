/** Whether a job is in the user's way, and which; all but `healed` and `checkedAt` are null where none is. */
export interface ActiveJob {
  hasActiveJob: boolean
  /** As people read it. */
  activeTool: string | null
  activeTable: string | null
  activeStatus: string | null
  activeJobId: string | null
  createdAt: string | null
  startedAt: string | null
  /** Its place in the line, counted now; null: it is not in the line. */
  position: number | null
  /** When the rules free the user if nothing more happens; null: never. */
  healsAt: string | null
  /** It is worked on, and without a sign of life since then, an hour ago or longer; null: else. */
  silentSince: string | null
  /** How many ghosts of the user this call has cancelled. */
  healed: number
  /** By the server's clock. */
  checkedAt: string
}

export interface CancelledJob {
  jobTable: string
  jobId: string
  refunded: boolean
}

/** `created` is false if the same call had made the job before; `status` is null if its row is gone by now. */
export interface CreatedJob {
  created: boolean
  jobTable: string
  jobId: string
  status: string | null
}

export interface NewJob {
  /** The attached table, with its schema. */
  jobTable: string
  /** Made here, such as by `crypto.randomUUID()`. Left out, as it must be where ids are numbers: the table gives it. */
  jobId?: string | null
  /** Made here for each job that is asked for, so that a repeated call is the same job where the table gives the ids. */
  requestKey?: string
  sessionId?: string
  /** Values of the table's own columns. */
  data?: object
}

/** Where the job is; `decision` is null if it has ended, and `note` says so. */
export interface QueuedJob {
  decision: 'queued' | 'run' | null
  position: number | null
  note: string | null
}

/** Whether the call changed the job; if not, `note` says why. */
export interface ChangedJob {
  changed: boolean
  status: string | null
  note: string | null
}

/** Where to send a file, as the host app's function says. */
export interface UploadPlace {
  uploadUrl: string
  method: string
  headers: Record<string, string>
  /** It is all there already. */
  uploaded: boolean
}

/** A call was refused or failed; `message` is for developers. */
export class ArcanoError extends Error {
  constructor(status: number, problem: { title?: string; detail?: string; hint?: string })
  status: number
  hint: string | undefined
}

/** Another job is in the user's way: give `active` to the dialog's `show`. */
export class UserBlocked extends Error {
  constructor(active: ActiveJob)
  active: ActiveJob
}

/** The job with this id has ended: try again with a new one. */
export class JobEnded extends Error {
  constructor(jobId: string, note: string | null)
  jobId: string
}

/**
 * Where the endpoints are, for a bundle that lies elsewhere; what headers each call needs; and the pauses before
 * something is tried again, in milliseconds.
 */
export function configure(options: {
  prefix?: string | URL
  headers?: () => Record<string, string>
  pauses?: number[]
}): void

export function checkUserActive(): Promise<ActiveJob>

/** Cancels the user's waiting jobs, or those of one page visit; never a working one. */
export function cancelSession(which?: {
  sessionId?: string
  reason?: string
}): Promise<{ cancelled: CancelledJob[] }>

/** A uuid, also on plain http, where a browser has no `crypto.randomUUID`. */
export function newId(): string

/**
 * With neither a `jobId` nor a `requestKey` it makes a key, and tries again by itself what may pass. The same call while
 * it is under way, as a double click makes it, is the same job.
 */
export function createJob(job: NewJob): Promise<CreatedJob | ActiveJob>

// Of a job that this page has made, the table is known; of others it is needed only where several have the id.

export function queueJob(jobId: string, jobTable?: string): Promise<QueuedJob>

export function touchJob(jobId: string, jobTable?: string): Promise<ChangedJob>

export function cancelJob(jobId: string, reason?: string, jobTable?: string): Promise<ChangedJob>

/**
 * Calls back with the user's active job now and whenever it changes; what it returns ends that. While the page is
 * hidden nothing is told, and when it is shown again, what is so then.
 */
export function watchActiveJob(callback: (active: ActiveJob) => void): () => void

/** The id of this page visit; it survives a reload, and a duplicated tab gets one of its own. */
export function sessionId(): string

/**
 * Whether the waiting jobs of this visit are cancelled when its page goes away, unless it is back in some
 * seconds; call it again to change that.
 * `whenHidden`: whether a hidden page is one that has gone. Left out, it is so on a phone, but for a job that stands in
 * the line, which workers serve without the page.
 */
export function cancelOnLeave(
  sessionId: string,
  shouldCancelOnLeave: boolean,
  options?: { whenHidden?: boolean },
): void

/** The same for a part of a page, which takes it from no other part: what it returns ends that. */
export function alsoCancelOnLeave(sessionId: string): () => void

export interface UploadOptions {
  /** The attached table, with its schema. */
  jobTable: string
  sessionId?: string
  /** Values of the table's own columns. */
  data?: object
  /** To try a whole upload again; otherwise made here. Null: the table gives it, as it does where ids are numbers. */
  jobId?: string | null
  /**
   * Where the table gives the ids: what the upload is known by until there is a job, and what lets a repeated call be
   * the same job. Otherwise made here.
   */
  requestKey?: string
  /** From 0 to 1. */
  onProgress?: (part: number) => void
  signal?: AbortSignal
  /** Sends the file where it belongs; by default to `uploadUrl`. */
  upload?: (
    file: Blob,
    place: UploadPlace,
    options: { onProgress?: (part: number) => void; signal?: AbortSignal },
  ) => Promise<unknown>
  /** Starts the job; by default it is put into the line. */
  invoke?: (jobId: string, jobTable: string) => Promise<unknown>
}

/**
 * Uploads a file, makes the job once it is all there, and starts it; on any error ends the job with the reason. The same
 * call with the same file while it is under way, as a double click makes it, is the same job.
 * @throws UserBlocked, JobEnded, ArcanoError, TypeError (no network), or the signal's reason.
 */
export function uploadThenCreate(
  file: Blob & { name?: string },
  options: UploadOptions,
): Promise<{ jobTable: string; jobId: string; created: boolean }>

/** `<active-job-dialog>`. Events: `released`, `free`, `close`. */
export class ActiveJobDialog extends HTMLElement {
  readonly active: ActiveJob | undefined
  readonly open: boolean
  /** Asks whether a job is in the user's way, shows it if so, and answers that. */
  blocks(): Promise<boolean>
  show(active: ActiveJob): void
  close(): void
}

declare global {
  interface HTMLElementTagNameMap {
    'active-job-dialog': ActiveJobDialog
  }
}
