// The page's one connection to the broadcast channels. Components ask for a name and get snapshots and deltas; or, where
// a delta is the parts that changed, the whole as it is now.
// Put before each component's own code; the first one that runs makes the connection for all.
const live = (globalThis.workstationLive ??= (() => {
  const RETRY_MS = [250, 500, 1000, 2000]
  const listeners = new Map() // channel → {snapshot, delta} or {whole} → whether it was told a snapshot yet
  const numbers = new Map() // channel → the last sequence
  const kept = new Map() // channel → its last snapshot, for a component that comes later
  const watchers = new Set() // told of the connection itself
  let socket = null, attempts = 0, isOpen = false

  const address = () => {
    const url = new URL("channel", document.baseURI.split(/[?#]/)[0])
    url.protocol = url.protocol.replace("http", "ws")
    return url
  }
  const say = (message) => { if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message)) }
  const wanted = () => document.hidden ? [] : [...listeners.keys()]
  const ask = () => say({watch: wanted()})
  const tell = () => watchers.forEach((told) => told(isOpen))

  function connect() {
    socket = new WebSocket(address())
    socket.onopen = () => { attempts = 0; isOpen = true; numbers.clear(); ask(); tell() }
    socket.onmessage = ({data}) => take(JSON.parse(data))
    socket.onclose = () => {
      isOpen = false
      tell()
      setTimeout(connect, RETRY_MS[Math.min(attempts++, RETRY_MS.length - 1)])
    }
  }

  function take({channel, sequence, snapshot, delta}) {
    const told = listeners.get(channel)
    if (!told) return
    const those = [...told] // as they are now: one that is told may come anew, or let another go
    if (snapshot !== undefined) {
      kept.set(channel, snapshot)
      numbers.set(channel, sequence)
      for (const [one] of those) begin(told, one, snapshot)
    } else if (numbers.get(channel) === sequence - 1) {
      numbers.set(channel, sequence)
      const whole = {...kept.get(channel), ...delta}
      if (those.every(([one]) => one.whole)) kept.set(channel, whole)
      else kept.delete(channel)
      for (const [one, hasBegun] of those) if (hasBegun && told.has(one)) one.whole ? one.whole(whole) : one.delta?.(delta)
    } else if (numbers.has(channel)) { // one is missing: all anew, and nothing until it comes
      numbers.delete(channel)
      say({again: channel})
    }
  }

  function begin(told, one, snapshot) {
    if (!told.has(one)) return
    told.set(one, true)
    ;(one.whole ?? one.snapshot)(snapshot)
  }

  document.addEventListener("visibilitychange", () => { numbers.clear(); kept.clear(); ask() })
  connect()
  return {
    watch(channel, one) {
      const isNew = !listeners.has(channel)
      if (isNew) listeners.set(channel, new Map())
      const told = listeners.get(channel)
      told.set(one, false)
      if (isNew) ask()
      else if (kept.has(channel)) begin(told, one, kept.get(channel))
      else say({again: channel})
      return () => {
        told.delete(one)
        if (told.size === 0 && listeners.get(channel) === told) { listeners.delete(channel); numbers.delete(channel); kept.delete(channel); ask() }
      }
    },
    onConnection(told) { watchers.add(told); told(isOpen); return () => watchers.delete(told) },
  }
})())

// -- charts: by their numbers, each in a document of Bokeh's own; "workstation-chart" is told of one that has come
const charts = (globalThis.workstationCharts ??= new Map())

// -- what is in sight: pages that were turned away from stay in the document, unseen and unpainted
const isSeen = (root) => root.checkVisibility() && root.clientWidth > 0
function onSight(root, told) { // calls `told` when the page of `root` is turned to or away from, and when its size changes
  const sized = new ResizeObserver(told)
  sized.observe(root)
  addEventListener("workstation-turned", told)
  return () => { sized.disconnect(); removeEventListener("workstation-turned", told) }
}

// -- words and figures, the same everywhere: text from outside is only ever put in as text
const node = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value)
    else if (value !== undefined && value !== null && value !== false) made.setAttribute(name, value === true ? "" : value)
  }
  made.append(...children.filter((child) => child !== null && child !== undefined))
  return made
}
const UNKNOWN = "–"
const figure = (value, decimals = 2) => value === null || value === undefined || !Number.isFinite(Number(value)) ? UNKNOWN
  : Number(value).toLocaleString(undefined, {minimumFractionDigits: decimals, maximumFractionDigits: decimals}).replace("-", "−")
const signed = (value, decimals = 2) => {
  const text = figure(value, decimals)
  return text !== UNKNOWN && Number(value) > 0 ? "+" + text : text
}
const sign = (value) => Number(value) > 0 ? "up" : Number(value) < 0 ? "down" : "flat"
const age = (ms) => ms === null || ms === undefined ? UNKNOWN
  : ms < 60_000 ? `${Math.max(0, Math.round(ms / 1000))} s`
  : ms < 3_600_000 ? `${Math.floor(ms / 60_000)} min`
  : ms < 86_400_000 ? `${Math.floor(ms / 3_600_000)} h` : `${Math.floor(ms / 86_400_000)} d`
const SPREADSHEETS_RUN = /^[=+\-@\t\r]/ // reasons may be a venue's words
function download(name, heads, rows) {
  const cell = (value) => value === null ? "" : typeof value === "number" ? String(value)
    : `"${(SPREADSHEETS_RUN.test(value) ? `'${value}` : String(value)).replaceAll('"', '""')}"`
  const text = [heads, ...rows].map((row) => row.map(cell).join(",")).join("\n") + "\n"
  const url = URL.createObjectURL(new Blob([text], {type: "text/csv"}))
  node("a", {href: url, download: name}).click()
  setTimeout(() => URL.revokeObjectURL(url), 1000)
}
