// The browser's half of Arcano DB: the calls, leaving a page, upload first, and <active-job-dialog>.
// No framework and no build step; arcano.d.ts has the types, arcano-react.js the hooks.

// The endpoints lie beside this file. Bundled into an app's own code it lies elsewhere: then call configure.
const settings = {
  prefix: new URL('.', import.meta.url),
  /** @type {() => Record<string, string>} */
  headers: () => ({}),
  // Half a minute, in which a database is started again or another one takes its place.
  pauses: [500, 1000, 2000, 4000, 8000, 15000],
}

/** @param {{ prefix?: string | URL, headers?: () => Record<string, string>, pauses?: number[] }} options */
export function configure({ prefix, headers, pauses }) {
  if (prefix !== undefined) settings.prefix = new URL(`${prefix}`.replace(/\/?$/, '/'), document.baseURI)
  if (headers !== undefined) settings.headers = headers
  if (pauses !== undefined) settings.pauses = pauses
}

// ---- errors ----

export class ArcanoError extends Error {
  /**
   * @param {number} status
   * @param {{ title?: string, detail?: string, hint?: string }} problem
   */
  constructor(status, problem) {
    super(problem.detail ?? problem.title ?? `HTTP ${status}`)
    this.name = 'ArcanoError'
    this.status = status
    this.hint = problem.hint
  }
}

export class UserBlocked extends Error {
  /** @param {import('./arcano.js').ActiveJob} active */
  constructor(active) {
    super(`${active.activeTable} ${active.activeJobId} (${active.activeStatus}) is in the way`)
    this.name = 'UserBlocked'
    this.active = active
  }
}

export class JobEnded extends Error {
  /** @param {string} jobId @param {string | null} note */
  constructor(jobId, note) {
    super(`job ${jobId}: ${note}; try again with a new id`)
    this.name = 'JobEnded'
    this.jobId = jobId
  }
}

/** A uuid, also on plain http, where a browser has no crypto.randomUUID. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = (bytes[6] & 0x0f) | 0x40
  bytes[8] = (bytes[8] & 0x3f) | 0x80
  const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** @type {Map<unknown, Map<string, Promise<any>>>} */
const underWay = new Map()

/**
 * What was asked for is under way already: a double click is the same job, and gets the same answer.
 * @template Answer
 * @param {unknown} what @param {string} how
 * @param {() => Promise<Answer>} begin
 * @returns {Promise<Answer>}
 */
function once(what, how, begin) {
  const those = underWay.get(what) ?? new Map()
  underWay.set(what, those)
  const begun = those.get(how) ?? begin().finally(() => {
    those.delete(how)
    if (those.size === 0) underWay.delete(what)
  })
  those.set(how, begun)
  return begun
}

// ---- calls ----

/**
 * @param {string} name
 * @param {object} body
 * @param {{ signal?: AbortSignal, keepalive?: boolean }} [options]
 */
async function call(name, body, { signal, keepalive } = {}) {
  const response = await fetch(new URL(name, settings.prefix), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...settings.headers() },
    body: JSON.stringify(body),
    signal,
    keepalive,
  })
  const said = await response.json().catch(() => undefined)
  const answer = typeof said === 'object' && said !== null ? said : undefined
  // A job in the way is 409, and an answer all the same.
  if (answer && (response.ok || 'hasActiveJob' in answer)) return answer
  // Of a network that wants its user to sign in first: as if there were none.
  if (response.ok) throw new TypeError('the answer is not JSON')
  throw new ArcanoError(response.status, answer ?? {})
}

/** @returns {Promise<import('./arcano.js').ActiveJob>} */
export const checkUserActive = () => call('check-user-active', {})

/** @param {{ sessionId?: string, reason?: string }} [which] */
export const cancelSession = (which = {}) => call('cancel-session', which)

/**
 * Without a jobId the table gives it, as it must where ids are numbers. A requestKey then lets a repeated call be the
 * same job: where none is given, one is made, and what may pass is tried again here. The same call while it is under
 * way, as a double click makes it, is the same job too.
 * @param {import('./arcano.js').NewJob} job
 * @returns {Promise<import('./arcano.js').CreatedJob | import('./arcano.js').ActiveJob>}
 */
export async function createJob(job) {
  if (job.jobId || job.requestKey) return make(job)
  return once(createJob, JSON.stringify(job), () => {
    const withKey = { ...job, requestKey: newId() }
    return again(() => make(withKey))
  })
}

// An id means something only with its table: another table may have the same one.
/** @type {Map<string, string>} */
const tables = new Map()

/** @param {object} job @param {AbortSignal} [signal] */
async function make(job, signal) {
  const made = await call('create-job', job, { signal })
  if (!made.hasActiveJob) tables.set(made.jobId, made.jobTable)
  return made
}

/** @param {string} jobId @param {string} [jobTable] */
const named = (jobId, jobTable = tables.get(jobId)) => ({ jobId, jobTable })

/** @param {string} jobId @param {string} [jobTable] that this page's createJob made it in, if it did */
export const queueJob = (jobId, jobTable) => call('queue-job', named(jobId, jobTable))

/** @param {string} jobId @param {string} [jobTable] */
export const touchJob = (jobId, jobTable) => call('touch-job', named(jobId, jobTable))

/** @param {string} jobId @param {string} [reason] @param {string} [jobTable] */
export const cancelJob = (jobId, reason, jobTable) =>
  call('cancel-job', { ...named(jobId, jobTable), reason }, { keepalive: true })

/** @type {Set<(active: import('./arcano.js').ActiveJob) => void>} */
const watchers = new Set()
/** @type {EventSource | undefined} */
let stream
/** @type {ReturnType<typeof setTimeout> | undefined} */
let nextStream
let refusedInARow = 0

/**
 * Calls back with the user's active job now and whenever it changes; what it returns ends that. While the page is
 * hidden nothing is told, and when it is shown again, what is so then.
 * @param {(active: import('./arcano.js').ActiveJob) => void} callback
 */
export function watchActiveJob(callback) {
  /** @param {import('./arcano.js').ActiveJob} active */
  const watcher = (active) => callback(active)
  if (watchers.size === 0) document.addEventListener('visibilitychange', openStream)
  watchers.add(watcher)
  openStream()
  return () => {
    if (!watchers.delete(watcher) || watchers.size > 0) return
    document.removeEventListener('visibilitychange', openStream)
    openStream()
  }
}

/** One for the whole page, and only while it is looked at: a browser has six connections to a server, for all tabs. */
function openStream() {
  stream?.close()
  stream = undefined
  clearTimeout(nextStream)
  if (watchers.size === 0 || document.visibilityState === 'hidden') return
  stream = new EventSource(new URL('events', settings.prefix), { withCredentials: true })
  const opened = stream
  // A browser opens a stream again that broke off, and gives one up that was refused: by a server that is away, say.
  stream.addEventListener('error', () => {
    if (opened !== stream || opened.readyState !== EventSource.CLOSED) return
    const { pauses } = settings
    nextStream = setTimeout(openStream, 2 * (pauses[Math.min(refusedInARow++, pauses.length - 1)] ?? 1000))
  })
  stream.addEventListener('open', () => (refusedInARow = 0))
  stream.addEventListener('active', (event) => {
    const active = JSON.parse(event.data)
    for (const watcher of watchers) {
      try {
        watcher(active)
      } catch (error) {
        reportError(error) // one of them, and no reason to tell the others nothing
      }
    }
  })
}

// ---- the page visit ----

const SESSION = 'arcano.session'
/** @type {string | undefined} */
let session
// Whether this page has been here before: it was reloaded, or gone back to.
let isKnown = false

/**
 * The id of this page visit, which survives a reload. It lies in sessionStorage only while the page is hidden or
 * going away: a tab that is duplicated takes a copy of that storage with it, and would take the id too.
 */
export function sessionId() {
  if (session === undefined) {
    const kept = sessionStorage.getItem(SESSION)
    isKnown = kept !== null
    session = kept ?? newId()
    sessionStorage.removeItem(SESSION)
    const keep = () => sessionStorage.setItem(SESSION, /** @type {string} */ (session))
    addEventListener('pagehide', keep)
    addEventListener('pageshow', () => sessionStorage.removeItem(SESSION))
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'hidden') keep()
      else sessionStorage.removeItem(SESSION)
    })
  }
  return session
}

// ---- leaving ----

/**
 * Of each visit: whether the app wants it, how many parts of the page do besides, and whether hidden is gone.
 * @type {Map<string, { wanted: boolean, wanting: number, whenHidden: boolean | undefined }>}
 */
const leaving = new Map()
let listening = false

/**
 * Whether the waiting jobs of this visit are cancelled when its page goes away. Call it again to change that; a job
 * that is worked on stays in any case. A page that asks `beforeunload` and whose user stays has not gone away.
 *
 * No browser tells a page that it is only being reloaded. So the server waits some seconds before it cancels, and a
 * page that is back by then, reloaded or looked at again, says so.
 *
 * A phone suspends a page that is hidden, and says no more: where there is no mouse, hidden is gone. But who looks at
 * another app for a moment has not given up a job that stands in the line, which workers serve without the page: such
 * a one is cancelled then only if the app asks for it, by whenHidden: true.
 * @param {string} sessionId
 * @param {boolean} shouldCancelOnLeave
 * @param {{ whenHidden?: boolean }} [options]
 */
export function cancelOnLeave(sessionId, shouldCancelOnLeave, { whenHidden } = {}) {
  if (typeof shouldCancelOnLeave !== 'boolean') throw new TypeError('shouldCancelOnLeave must be a boolean')
  const visit = leavingOf(sessionId)
  visit.wanted = shouldCancelOnLeave
  visit.whenHidden = whenHidden
}

/**
 * The same for a part of a page, which takes it from no other part: what it returns ends that.
 * @param {string} sessionId
 */
export function alsoCancelOnLeave(sessionId) {
  const visit = leavingOf(sessionId)
  visit.wanting++
  return () => void visit.wanting--
}

/** @param {string} sessionId */
function leavingOf(sessionId) {
  const visit = leaving.get(sessionId) ?? { wanted: false, wanting: 0, whenHidden: undefined }
  leaving.set(sessionId, visit)
  if (!listening) {
    listening = true
    addEventListener('pagehide', () => sayGoodbye(false))
    addEventListener('pageshow', (event) => event.persisted && sayBack())
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'hidden') sayGoodbye(true)
      else if ([...leaving.values()].some(isGoneWhenHidden)) sayBack()
    })
    if (isKnown || isReloaded()) sayBack()
  }
  return visit
}

/** @param {{ whenHidden: boolean | undefined }} visit */
const isGoneWhenHidden = ({ whenHidden }) => whenHidden ?? isPhone()

/** Or gone back to: what an app with session ids of its own has instead of isKnown. */
function isReloaded() {
  const [entry] = performance.getEntriesByType('navigation')
  return /** @type {PerformanceNavigationTiming | undefined} */ (entry)?.type !== 'navigate'
}

const isPhone = () => matchMedia('(hover: none) and (pointer: coarse)').matches

/** The user's waiting job gives a sign of life, which keeps it from a goodbye that came before. */
async function sayBack() {
  const stay = async () => {
    const { activeJobId, activeTable, startedAt } = await checkUserActive()
    // What is worked on is its worker's, and its signs of life are too.
    if (activeJobId !== null && startedAt === null) await touchJob(activeJobId, activeTable ?? undefined)
  }
  await again(stay).catch(() => {})
}

/** @param {boolean} isHidden whether the page is hidden, and perhaps not gone */
function sayGoodbye(isHidden) {
  for (const [sessionId, visit] of leaving) {
    if (!visit.wanted && visit.wanting === 0) continue
    if (isHidden && !isGoneWhenHidden(visit)) continue
    // Whether jobs that stand in the line are cancelled too.
    const inQueue = !isHidden || visit.whenHidden === true
    const body = { sessionId, reason: 'The user left the page', unlessBack: true, inQueue }
    const beacon = new Blob([JSON.stringify(body)], { type: 'application/json' })
    // A beacon is surest, but cannot carry the headers of an app that signs its users in by them.
    const isBare = Object.keys(settings.headers()).length === 0
    if (isBare && navigator.sendBeacon(new URL('cancel-session', settings.prefix), beacon)) continue
    call('cancel-session', body, { keepalive: true }).catch(() => {})
  }
}

// ---- upload first ----

/**
 * Uploads a file, makes the job once it is all there, and puts it into the line; on any error ends the job with the
 * reason. A page that dies in the middle of the upload leaves no job behind, and one that dies after it at worst a
 * ghost, which the rule heals. Every step is tried again with the same id, and so can the whole be.
 *
 * Where the table gives the ids (jobId is null), a requestKey takes the id's place until the job is made. The same call
 * while it is under way, as a double click makes it, is the same job; what it gives to onProgress and signal is not
 * looked at.
 * @param {Blob & { name?: string }} file
 * @param {import('./arcano.js').UploadOptions} options
 */
export function uploadThenCreate(file, options) {
  const { jobTable, jobId, requestKey, sessionId, data } = options
  return once(file, JSON.stringify([jobTable, jobId, requestKey, sessionId, data]), () => uploadOnce(file, options))
}

/**
 * @param {Blob & { name?: string }} file
 * @param {import('./arcano.js').UploadOptions} options
 */
async function uploadOnce(file, options) {
  // The id comes first, so that whatever fails knows which job to end.
  const { jobTable, sessionId, data, onProgress, signal } = options
  const { upload = send, invoke = intoTheLine } = options
  const key = options.jobId ?? options.requestKey ?? newId()
  const tableGivesId = options.jobId === null || (options.jobId === undefined && options.requestKey !== undefined)
  let jobId = tableGivesId ? undefined : key
  let made = false
  try {
    const about = { jobId: key, name: file.name ?? 'file', size: file.size, type: file.type }
    const place = await again(() => call('start-upload', about, { signal }), signal)
    const job = { jobTable, ...(tableGivesId ? { requestKey: key } : { jobId }), sessionId, data }
    const isThere = place.hasActiveJob && tableGivesId && (await isOwn(job))
    if (place.hasActiveJob && !isThere) throw new UserBlocked(place)
    if (!place.uploaded && !isThere) await again(() => upload(file, place, { onProgress, signal }), signal)
    onProgress?.(1)
    made = true
    const created = await again(() => make(job, signal), signal)
    if (created.hasActiveJob) throw new UserBlocked(created)
    const id = (jobId = /** @type {string} */ (created.jobId))
    await again(() => invoke(id, created.jobTable), signal)
    return { jobTable: created.jobTable, jobId: id, created: created.created }
  } catch (error) {
    // Also where the answer to create was lost: whether there is a job then, only the server knows.
    if (made && !(error instanceof UserBlocked)) await again(() => end(error)).catch(() => {})
    throw error
  }

  /**
   * Whether the job in the way is the one that an earlier try with this key made, so that its file is there.
   * @param {import('./arcano.js').NewJob} job
   */
  async function isOwn(job) {
    const found = await again(() => make(job, signal), signal)
    // The other one has ended in this moment, and this one has no file.
    if (found.created) await again(() => cancelJob(found.jobId, 'Made without its file', jobTable))
    return !found.hasActiveJob && !found.created
  }

  /** @param {unknown} error */
  async function end(error) {
    const reason = reasonOf(error)
    if (jobId !== undefined) await cancelJob(jobId, reason, jobTable)
    // Which id it has is not known, but which visit. Without one, a ghost is left to the rule.
    else if (sessionId !== undefined && !isRefused(error)) await cancelSession({ sessionId, reason })
  }
}

/** @param {string} jobId @param {string} jobTable */
async function intoTheLine(jobId, jobTable) {
  const { decision, note } = await queueJob(jobId, jobTable)
  if (decision === null) throw new JobEnded(jobId, note)
}

/**
 * The file by XMLHttpRequest, because fetch tells no progress.
 * @param {Blob} file
 * @param {import('./arcano.js').UploadPlace} place
 * @param {{ onProgress?: (part: number) => void, signal?: AbortSignal }} options
 * @returns {Promise<void>}
 */
function send(file, place, { onProgress, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    const abort = () => request.abort()
    request.open(place.method, new URL(place.uploadUrl, document.baseURI))
    for (const [name, value] of Object.entries(place.headers)) request.setRequestHeader(name, value)
    request.upload.onprogress = (event) => onProgress?.(event.loaded / event.total)
    request.onload = () =>
      request.status < 300 ? resolve() : reject(new ArcanoError(request.status, { detail: `upload: HTTP ${request.status}` }))
    request.onerror = () => reject(new TypeError('the upload failed'))
    request.onabort = () => reject(signal?.reason ?? new DOMException('aborted', 'AbortError'))
    request.onloadend = () => signal?.removeEventListener('abort', abort)
    signal?.addEventListener('abort', abort)
    request.send(file)
  })
}

/**
 * Tries again what failed for a reason that may pass: no network, a server that is busy.
 * @template Answer
 * @param {() => Promise<Answer>} step
 * @param {AbortSignal} [signal]
 * @returns {Promise<Answer>}
 */
async function again(step, signal) {
  for (const pause of settings.pauses) {
    signal?.throwIfAborted()
    try {
      return await step()
    } catch (error) {
      if (!mayPass(error)) throw error
      await new Promise((resolve) => setTimeout(resolve, pause))
    }
  }
  signal?.throwIfAborted()
  return step()
}

/** @param {unknown} error */
const mayPass = (error) =>
  error instanceof TypeError || (error instanceof ArcanoError && (error.status >= 500 || error.status === 429))

/** @param {unknown} error whether the server has said no, so that there is no job */
const isRefused = (error) => error instanceof ArcanoError && !mayPass(error)

/** @param {unknown} error */
const reasonOf = (error) => (error instanceof Error ? `${error.name}: ${error.message}` : `${error}`).slice(0, 1000)

// ---- <active-job-dialog> ----

const TEXTS = {
  en: {
    title: 'You already have a job in progress',
    since: (/** @type {string} */ time) => `Since ${time}`,
    waiting: 'It is being made ready.',
    inLine: (/** @type {number} */ place) => `You are number ${place} in the line.`,
    working: {
      starting: 'It is starting.',
      running: 'It is being worked on, and cannot be stopped here. When it is done, you can start another.',
    },
    silent: 'It has shown no sign of life for over an hour. If it does not end, ask the support to end it.',
    heals: (/** @type {string} */ left) => `If nothing more happens, you are free in ${left}.`,
    release: 'Release',
    releasing: 'Releasing…',
    failed: 'That did not work. Please try again.',
    close: 'Close',
  },
  'pt-BR': {
    title: 'Você já tem um trabalho em andamento',
    since: (/** @type {string} */ time) => `Desde ${time}`,
    waiting: 'Ele está sendo preparado.',
    inLine: (/** @type {number} */ place) => `Você é o número ${place} da fila.`,
    working: {
      starting: 'Ele está começando.',
      running: 'Ele está sendo processado e não pode ser interrompido aqui. Quando terminar, você poderá iniciar outro.',
    },
    silent: 'Ele não dá sinal de vida há mais de uma hora. Se não terminar, peça ao suporte que o encerre.',
    heals: (/** @type {string} */ left) => `Se nada mais acontecer, você estará livre em ${left}.`,
    release: 'Liberar fila',
    releasing: 'Liberando…',
    failed: 'Não funcionou. Tente novamente.',
    close: 'Fechar',
  },
}

const STYLE = `
  dialog { box-sizing: border-box; width: min(26rem, calc(100vw - 2rem)); border: 0; border-radius: .75rem; padding: 1.5rem;
    font: inherit; color: var(--arcano-text, #1c1c22); background: var(--arcano-background, #fff); box-shadow: 0 1rem 3rem #0005 }
  dialog::backdrop { background: #000a }
  h2 { margin: 0 0 1rem; font-size: 1.25rem; line-height: 1.3; text-wrap: balance }
  p { margin: .5rem 0; line-height: 1.5 }
  .tool { font-weight: 600 }
  .since, .heals { color: var(--arcano-muted, #55555f) }
  .buttons { display: flex; flex-wrap: wrap; gap: .75rem; justify-content: flex-end; margin-top: 1.5rem }
  button { font: inherit; font-weight: 600; min-height: 2.75rem; padding: .5rem 1.25rem; border-radius: .5rem; cursor: pointer;
    border: 1px solid currentColor; color: inherit; background: none }
  button.release { border-color: transparent; color: #fff; background: var(--arcano-accent, #4a2fc4) }
  button:disabled { opacity: .6; cursor: default }
  button:focus-visible { outline: 3px solid var(--arcano-focus, #1f6feb); outline-offset: 2px }
  [hidden] { display: none }
  @media (max-width: 30rem) { .buttons { flex-direction: column-reverse } }
`

// Where an app is drawn on a server first, this module is loaded there too, and there are no elements.
const Element = globalThis.HTMLElement ?? /** @type {typeof HTMLElement} */ (/** @type {unknown} */ (class {}))

/**
 * What a blocked user sees: which job is in the way, since when and where in the line, and the way out. `lang` on it
 * or on anything around it chooses the language. Events: `released` when the user has freed themselves, `free` when
 * nothing is in the way any more for whatever reason, `close`.
 */
export class ActiveJobDialog extends Element {
  /** @type {import('./arcano.js').ActiveJob | undefined} */
  #active
  /** @type {(() => void) | undefined} */
  #stopWatching
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer
  #clockIsOff = 0
  #releasing = false
  #failed = false
  #dialog
  #root

  constructor() {
    super()
    this.#root = this.attachShadow({ mode: 'open' })
    this.#root.innerHTML = `
      <style>${STYLE}</style>
      <dialog aria-labelledby="title" aria-describedby="about">
        <h2 id="title"></h2>
        <div id="about">
          <p class="tool"></p>
          <p class="since"></p>
          <p class="status" role="status"></p>
        </div>
        <p class="heals" role="timer" aria-live="off"></p>
        <p class="failed" role="alert"></p>
        <div class="buttons">
          <button class="close" type="button"></button>
          <button class="release" type="button"></button>
        </div>
      </dialog>`
    this.#dialog = /** @type {HTMLDialogElement} */ (this.#root.querySelector('dialog'))
    this.#button('close').addEventListener('click', () => this.#dialog.close())
    this.#button('release').addEventListener('click', () => this.#release())
    this.#dialog.addEventListener('close', () => this.#closed())
  }

  /** The job in the way that is shown; undefined: nothing is. */
  get active() {
    return this.#active
  }

  get open() {
    return this.#dialog.open
  }

  /** Asks whether a job is in the user's way, shows it if so, and answers that. */
  async blocks() {
    const active = await checkUserActive()
    if (active.hasActiveJob) this.show(active)
    return active.hasActiveJob
  }

  /** @param {import('./arcano.js').ActiveJob} active */
  show(active) {
    this.#failed = false
    this.#take(active)
    if (!this.#dialog.open) {
      this.#dialog.showModal()
      this.#stopWatching = watchActiveJob((now) => this.#take(now))
      this.#timer = setInterval(() => this.#tick(), 1000)
    }
  }

  close() {
    this.#dialog.close()
  }

  disconnectedCallback() {
    this.#closed()
  }

  #closed() {
    this.#stopWatching?.()
    clearInterval(this.#timer)
    this.#stopWatching = this.#timer = this.#active = undefined
    this.dispatchEvent(new Event('close'))
  }

  /** @param {import('./arcano.js').ActiveJob} active */
  #take(active) {
    this.#active = active
    this.#clockIsOff = Date.parse(active.checkedAt) - Date.now()
    if (active.hasActiveJob) {
      this.#draw()
    } else if (this.#dialog.open) {
      this.#dialog.close()
      this.dispatchEvent(new Event('free'))
    }
  }

  async #release() {
    this.#releasing = true
    this.#failed = false
    this.#draw()
    try {
      const { cancelled } = await cancelSession({ reason: 'The user released it' })
      // None, if a worker was faster: then the job is worked on, and the dialog says so.
      const active = await checkUserActive()
      if (cancelled.length > 0 && !active.hasActiveJob) this.dispatchEvent(new Event('released'))
      this.#releasing = false
      this.#take(active)
    } catch {
      this.#releasing = false
      this.#failed = true
      this.#draw()
    }
  }

  /** The countdown; where it has ended, whether the user is free now. */
  #tick() {
    const left = this.#secondsLeft()
    this.#text('heals', left === undefined ? '' : this.#texts.heals(clock(left)))
    // What was claimed is ended by the sweep, and the stream says so.
    if (left === 0 && !this.#active?.startedAt) checkUserActive().then((active) => this.#take(active), () => {})
  }

  #secondsLeft() {
    if (!this.#active?.healsAt) return undefined
    return Math.max(0, Math.ceil((Date.parse(this.#active.healsAt) - Date.now() - this.#clockIsOff) / 1000))
  }

  #draw() {
    const active = this.#active
    if (!active?.hasActiveJob) return
    const texts = this.#texts
    /** @type {Record<string, string>} */
    const working = texts.working
    const isWorking = working[`${active.activeStatus}`]
    const silent = isWorking !== undefined && active.silentSince ? texts.silent : undefined
    this.#dialog.lang = this.#language
    this.#text('title', texts.title, '#')
    this.#text('tool', active.activeTool ?? active.activeTable)
    const since = new Date(`${active.startedAt ?? active.createdAt}`)
    const day = since.toDateString() === new Date().toDateString() ? undefined : 'medium'
    this.#text('since', texts.since(since.toLocaleString(this.#language, { dateStyle: day, timeStyle: 'short' })))
    const place = active.position !== null && active.position > 0 ? texts.inLine(active.position) : texts.waiting
    this.#text('status', silent ?? isWorking ?? place)
    this.#text('failed', this.#failed ? texts.failed : '')
    this.#text('close', texts.close)
    this.#text('release', this.#releasing ? texts.releasing : texts.release)
    this.#button('release').hidden = isWorking !== undefined
    this.#button('release').disabled = this.#releasing
    this.#tick()
  }

  /** @param {string} name @param {string | null} text */
  #text(name, text, by = '.') {
    const element = /** @type {HTMLElement} */ (this.#root.querySelector(by + name))
    // Only what has changed, because a screen reader reads out what is written.
    if (element.textContent !== text) element.textContent = text
  }

  /** @param {string} name */
  #button(name) {
    return /** @type {HTMLButtonElement} */ (this.#root.querySelector(`button.${name}`))
  }

  get #language() {
    const chosen = this.closest('[lang]')?.getAttribute('lang') ?? navigator.language
    return chosen.toLowerCase().startsWith('pt') ? 'pt-BR' : 'en'
  }

  get #texts() {
    return TEXTS[this.#language]
  }
}

/** @param {number} seconds */
const clock = (seconds) => `${Math.floor(seconds / 60)}:${`${seconds % 60}`.padStart(2, '0')}`

if (globalThis.customElements?.get('active-job-dialog') === undefined) globalThis.customElements?.define('active-job-dialog', ActiveJobDialog)
