// A page of an app that uses React, bundled by the test.
import { createElement, useState } from 'react'
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
  const button = (name, onClick) => createElement('button', { key: name, onClick }, name)
  return createElement('main', {}, [
    createElement('p', { key: 'status', role: 'status' }, active === undefined ? '?' : `${active.activeStatus}`),
    createElement('p', { key: 'error', role: 'alert' }, error?.name),
    button('start', () => start(new File(['x'], 'a.png'))),
    button('release', release),
    button('stay', () => setCancels(false)),
  ])
}

// Another part of the page, which does not ask for it, and comes last: it takes it from nobody.
function Footer() {
  useCancelOnLeave(false)
  return null
}

createRoot(document.getElementById('root')).render([createElement(Page, { key: 'page' }), createElement(Footer, { key: 'footer' })])
