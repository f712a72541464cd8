/**
 * The page's one script. Everything works without it; with it the page hears of the outcome at once, counts down, copies,
 * and writes document numbers as people do.
 */
const root = document.documentElement
root.classList.add('js')
const live = document.getElementById('live')

/** Stops what runs for the screen that is shown: replaced whenever a new one is. */
let stop = new AbortController()
let source = /** @type {EventSource | undefined} */ (undefined)

/** @param {string} text */
function say(text) {
  if (live) live.textContent = text
}

/** Fetches this page again and puts its new screen in place, without losing the payer's place. */
async function renew() {
  const url = new URL(location.href)
  url.searchParams.delete('go')
  url.searchParams.delete('notice')
  const answer = await fetch(url, { cache: 'no-store' }).catch(() => undefined)
  if (!answer) return later(renew, 3000)
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html')
  const main = fresh.querySelector('main')
  const old = document.querySelector('main')
  if (!main || !old || answer.status >= 500) return later(renew, 3000)
  history.replaceState(null, '', url)
  document.title = fresh.title
  old.replaceWith(document.adoptNode(main))
  begin(main)
  if (main.dataset.screen !== old.dataset.screen) {
    const title = main.querySelector('h1')
    if (title) title.focus({ preventScroll: true })
    say(document.title)
    scrollTo(0, 0)
  }
}

/** @param {() => void} work @param {number} ms */
function later(work, ms) {
  const timer = setTimeout(work, ms)
  stop.signal.addEventListener('abort', () => clearTimeout(timer))
}

/** @param {HTMLElement} main */
function listen(main) {
  const { events } = main.dataset
  if (!events) return
  source = new EventSource(events)
  source.addEventListener('change', renew)
  source.addEventListener('error', () => {
    if (source?.readyState === 2) later(renew, 5000)
  })
}

/** `59:59`, `3:59:59`, `2 d 3 h`: as the server wrote it. @param {number} left */
function clockText(left) {
  const two = (/** @type {number} */ n) => String(n).padStart(2, '0')
  const days = Math.floor(left / 86400)
  const hours = Math.floor((left % 86400) / 3600)
  if (days > 0) return `${days} d ${hours} h`
  const rest = `${two(Math.floor((left % 3600) / 60))}:${two(left % 60)}`
  return hours > 0 ? `${hours}:${rest}` : rest
}

/** Counts down from what the server said, by a clock that nobody sets. @param {HTMLElement} main */
function countDown(main) {
  const clocks = [...main.querySelectorAll('[data-left]')]
  if (clocks.length === 0) return
  const start = performance.now()
  const tick = () => {
    for (const clock of clocks) {
      const total = Number(clock.getAttribute('data-left'))
      const left = Math.max(0, total - Math.floor((performance.now() - start) / 1000))
      clock.textContent = clockText(left)
      if (left === 0 && total > 0) {
        clearInterval(timer)
        later(renew, 1500)
      }
    }
  }
  const timer = setInterval(tick, 1000)
  stop.signal.addEventListener('abort', () => clearInterval(timer))
}

/** Puts a text on the clipboard, in the old way where the new one is missing (pages without https). @param {string} text */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    const area = document.createElement('textarea')
    area.value = text
    area.className = 'away'
    document.body.append(area)
    area.select()
    const done = document.execCommand('copy')
    area.remove()
    return done
  }
}

/** @param {HTMLElement} main */
function copyButtons(main) {
  for (const button of main.querySelectorAll('button[data-copy]')) {
    const text = button.textContent
    button.addEventListener('click', async () => {
      if (!(await copy(button.getAttribute('data-copy') ?? ''))) return
      const copied = button.getAttribute('data-copied') ?? ''
      button.textContent = copied
      say(copied)
      later(() => {
        button.textContent = text
      }, 2000)
    })
  }
}

/** How numbers are written: `0` is a digit, `*` a digit or letter. RUT grows from its end. */
const masks = /** @type {Record<string, string>} */ ({
  CPF: '000.000.000-00',
  CNPJ: '**.***.***/****-00',
  CUIT: '00-00000000-0',
  CUIL: '00-00000000-0',
  SSN: '000-00-0000',
  ITIN: '000-00-0000',
})

/** @param {string} text @param {string[]} types */
function masked(text, types) {
  const bare = text.toUpperCase().replace(/[^A-Z0-9]/g, '')
  if (types[0] === 'RUT') {
    if (bare.length < 2 || !/^\d+[\dK]$/.test(bare)) return text
    const first = (bare.length - 1) % 3 || 3
    const groups = [bare.slice(0, first), ...(bare.slice(first, -1).match(/\d{3}/g) ?? [])]
    return `${groups.join('.')}-${bare.slice(-1)}`
  }
  const known = types.flatMap((type) => masks[type] ?? [])
  const mask = known.find((each) => each.replace(/[^0*]/g, '').length >= bare.length)
  if (!mask || known.length !== types.length) return text
  let written = ''
  let at = 0
  for (const sign of mask) {
    if (at >= bare.length) break
    written += sign === '0' || sign === '*' ? bare[at++] : sign
  }
  return written
}

/** @param {HTMLElement} main */
function maskFields(main) {
  for (const input of /** @type {NodeListOf<HTMLInputElement>} */ (main.querySelectorAll('input[data-mask]'))) {
    const chosen = /** @type {HTMLSelectElement | null} */ (
      input.form?.querySelector('select[name="customer.documentType"]') ?? null
    )
    input.addEventListener('input', () => {
      if (input.selectionStart !== input.value.length) return
      const types = chosen?.value ? [chosen.value] : (input.dataset.mask ?? '').split(' ')
      input.value = masked(input.value, types)
    })
  }
}

/** One click is one payment. @param {HTMLElement} main */
function submitOnce(main) {
  for (const form of main.querySelectorAll('form')) {
    form.addEventListener('submit', (event) => {
      const button = form.querySelector('button:not([type])')
      if (form.dataset.sent) return event.preventDefault()
      form.dataset.sent = '1'
      button?.setAttribute('aria-disabled', 'true')
    })
  }
}

/** Back to the shop by itself, unless the payer wants to stay. @param {HTMLElement} main */
function leadOn(main) {
  const link = /** @type {HTMLAnchorElement | null} */ (main.querySelector('a[data-lead-on]'))
  const note = /** @type {HTMLElement | null} */ (main.querySelector('[data-lead-note]'))
  if (!link || !note) return
  let left = Number(link.dataset.leadOn)
  const span = note.querySelector('span')
  const show = () => {
    if (span) span.textContent = (note.dataset.leadNote ?? '').replace('{seconds}', String(left))
  }
  show()
  note.hidden = false
  const timer = setInterval(() => {
    left -= 1
    show()
    if (left > 0) return
    clearInterval(timer)
    location.assign(link.href)
  }, 1000)
  const stay = () => {
    clearInterval(timer)
    note.hidden = true
  }
  note.querySelector('button')?.addEventListener('click', stay)
  stop.signal.addEventListener('abort', stay)
}

/** @param {HTMLElement} main */
function begin(main) {
  stop.abort()
  source?.close()
  stop = new AbortController()
  source = undefined
  listen(main)
  countDown(main)
  copyButtons(main)
  maskFields(main)
  submitOnce(main)
  leadOn(main)
}

const first = document.querySelector('main')
if (first) begin(first)
// A page from the browser's memory shows how things were; phones also cut connections of pages in the background.
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload()
})
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible' && source && source.readyState === 2) renew()
})
