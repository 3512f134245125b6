// The page of the demo: what an app that uses arcano.js has to write itself.
// Its address is relative to the page, /1/ for the first user, where the same module lies under arcano/.
const arcano = await import(new URL('arcano/arcano.js', document.baseURI).href)
const { cancelOnLeave, checkUserActive, createJob, newId, queueJob, sessionId, uploadThenCreate, UserBlocked, watchActiveJob } = arcano

const TEXTS = {
  en: {
    about: 'Makes a picture twice as wide and twice as high. One picture at a time.',
    choose: 'Choose a picture',
    oldOrder: 'The old order: make the job first, upload second (this is how ghosts are born)',
    cancelOnLeave: 'Cancel my job if I leave while it waits',
    start: 'Enlarge',
    stop: 'Stop',
    language: 'Português',
    uploading: (percent) => `Uploading: ${percent} %`,
    waiting: 'Your job is being made ready.',
    inLine: (place) => `You are number ${place} in the line.`,
    working: 'Your picture is being enlarged.',
    done: 'Done.',
    stopped: 'Stopped.',
    cancelled: 'Your job was cancelled.',
    failed: 'That did not work. Please try again.',
    free: 'You can start a new job.',
    healed: 'A job that was never started has been cleared away.',
    before: 'Before',
    after: 'After',
  },
  'pt-BR': {
    about: 'Deixa uma imagem duas vezes mais larga e mais alta. Uma imagem de cada vez.',
    choose: 'Escolher imagem',
    oldOrder: 'A ordem antiga: criar o trabalho primeiro, enviar depois (assim nascem os fantasmas)',
    cancelOnLeave: 'Cancelar meu trabalho se eu sair enquanto ele espera',
    start: 'Ampliar',
    stop: 'Parar',
    language: 'English',
    uploading: (percent) => `Enviando: ${percent} %`,
    waiting: 'Seu trabalho está sendo preparado.',
    inLine: (place) => `Você é o número ${place} da fila.`,
    working: 'Sua imagem está sendo ampliada.',
    done: 'Pronto.',
    stopped: 'Parado.',
    cancelled: 'Seu trabalho foi cancelado.',
    failed: 'Não funcionou. Tente novamente.',
    free: 'Você pode iniciar um novo trabalho.',
    healed: 'Um trabalho que nunca começou foi removido.',
    before: 'Antes',
    after: 'Depois',
  },
}

const language = document.documentElement.lang
const texts = TEXTS[language]
const JOB_TABLE = 'public.upscaler_jobs'
const MY_JOB = 'upscaler.job'

const by = (id) => document.getElementById(id)
const dialog = document.querySelector('active-job-dialog')
let job = sessionStorage.getItem(MY_JOB) // of this visit, also after a reload
let abort

by('about').textContent = texts.about
by('choose').textContent = texts.choose
by('start').textContent = texts.start
by('stop').textContent = texts.stop
by('old-order').nextElementSibling.textContent = texts.oldOrder
by('cancel-on-leave').nextElementSibling.textContent = texts.cancelOnLeave
by('other-language').textContent = texts.language
by('other-language').lang = language === 'en' ? 'pt-BR' : 'en'
by('other-language').href = `?lang=${by('other-language').lang}`

by('picture').addEventListener('change', chosen)
chosen() // somebody may have been faster than this script
by('start').addEventListener('click', start)
by('stop').addEventListener('click', () => abort.abort(new DOMException('The user stopped it', 'AbortError')))
dialog.addEventListener('released', () => say(texts.free))
by('cancel-on-leave').addEventListener('change', leaving)
leaving()
let stopWatching = watchActiveJob(changed)

function chosen() {
  by('start').disabled = by('picture').files.length === 0
  by('file-name').textContent = by('picture').files[0]?.name ?? ''
}

function leaving() {
  cancelOnLeave(sessionId(), by('cancel-on-leave').checked)
}

async function start() {
  const file = by('picture').files[0]
  abort = new AbortController()
  busy(true)
  by('result').hidden = true
  by('note').textContent = ''
  try {
    const active = await checkUserActive()
    if (active.hasActiveJob) throw new UserBlocked(active)
    if (active.healed > 0) by('note').textContent = texts.healed
    job = newId()
    sessionStorage.setItem(MY_JOB, job)
    by('progress').hidden = false
    const options = { jobTable: JOB_TABLE, jobId: job, sessionId: sessionId(), signal: abort.signal, onProgress }
    await (by('old-order').checked ? createThenUpload(file, options) : uploadThenCreate(file, options))
    // Asks anew: a job that came and went between two looks is no change.
    stopWatching()
    stopWatching = watchActiveJob(changed)
  } catch (error) {
    forget()
    if (error instanceof UserBlocked) dialog.show(error.active)
    say(error instanceof UserBlocked ? '' : error.name === 'AbortError' ? texts.stopped : texts.failed)
  } finally {
    by('progress').hidden = true
    busy(false)
  }
}

/** How the app of the story did it: from the first line to the last one a ghost. */
async function createThenUpload(file, options) {
  const created = await createJob({
    jobTable: options.jobTable, jobId: options.jobId, sessionId: options.sessionId, data: { oldOrder: true },
  })
  if (created.hasActiveJob) throw new UserBlocked(created)
  await uploadThenCreate(file, { ...options, invoke: queueJob })
}

function onProgress(part) {
  by('progress').value = part
  if (part < 1) say(texts.uploading(Math.floor(part * 100)))
}

/** What the server says, now and whenever it changes. */
async function changed(active) {
  if (active.healed > 0) by('note').textContent = texts.healed
  if (job === null) return
  if (active.activeJobId === job) {
    if (!by('progress').hidden && active.position === null && active.startedAt === null) return
    say(active.startedAt !== null ? texts.working : active.position ? texts.inLine(active.position) : texts.waiting)
    return
  }
  const response = await fetch(`jobs/${job}`)
  if (!response.ok) return // it is not made yet
  const { status } = await response.json()
  if (status === 'completed') show(job)
  else if (status === 'cancelled') say(texts.cancelled)
  else if (status === 'failed') say(texts.failed)
  else return
  forget()
}

function show(id) {
  for (const which of ['before', 'after']) {
    const image = by(which)
    image.onload = () => {
      image.alt = texts[which]
      image.nextElementSibling.textContent = `${texts[which]}: ${image.naturalWidth} × ${image.naturalHeight}`
    }
    image.src = `pictures/${id}/${which}`
  }
  by('result').hidden = false
  say(texts.done)
}

function forget() {
  job = null
  sessionStorage.removeItem(MY_JOB)
}

function busy(is) {
  by('start').disabled = is || by('picture').files.length === 0
  by('stop').hidden = !is
}

function say(text) {
  by('status').textContent = text
}
