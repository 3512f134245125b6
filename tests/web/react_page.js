// A page of an app that uses React, bundled by the test.
import { createElement, useRef, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { configure } from './arcano.js'
import { useActiveJob, useCancelOnLeave, useUploadThenCreate } from './arcano-react.js'

configure({ prefix: '/arcano' })

function Page() {
  const { active, release } = useActiveJob()
  const [cancels, setCancels] = useState(true)
  useCancelOnLeave(cancels)
  const { start, error } = useUploadThenCreate({
    jobTable: 'public.upscaler_jobs',
    upload: async () => {},
  })
  const [hasSlow, setHasSlow] = useState(false)
  const button = (name, onClick) => createElement('button', { key: name, onClick }, name)
  return createElement('main', {}, [
    createElement('p', { key: 'status', role: 'status' }, active === undefined ? '?' : `${active.activeStatus}`),
    createElement('p', { key: 'error', role: 'alert' }, error?.name),
    button('start', () => start(new File(['x'], 'a.png'))),
    button('release', release),
    button('stay', () => setCancels(false)),
    button('slow', () => setHasSlow(!hasSlow)),
    hasSlow && createElement(Slow, { key: 'slow part' }),
  ])
}

// Its upload goes on until it is told to stop.
function Slow() {
  const file = useRef(new File(['x'], 'slow.png'))
  const { start } = useUploadThenCreate({
    jobTable: 'public.upscaler_jobs',
    upload: (file, place, { signal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject((window.aborted = signal.reason)))),
  })
  return createElement('button', { onClick: () => start(file.current) }, 'start slowly')
}

// Another part of the page, which does not ask for it, and comes last: it takes it from nobody.
function Footer() {
  useCancelOnLeave(false)
  return null
}

createRoot(document.getElementById('root')).render([createElement(Page, { key: 'page' }), createElement(Footer, { key: 'footer' })])
