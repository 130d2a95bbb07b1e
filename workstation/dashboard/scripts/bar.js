// The bar on every page: mode, account, equity, day, feeds, alerts, KILL. Its colour is the mode's; stripes are "lost".
const LOST_AFTER_MS = 3000, LATE_MS = 10_000
const COLOURS = {collect: "#4b5563", replay: "#1d5fa8", paper: "#0b7285", testnet: "#92600a", live: "#b3261e"}
const WORDS = {collect: "COLLECT", replay: "REPLAY", paper: "DRY RUN", testnet: "TESTNET", live: "LIVE"}
const THEME = "workstation_theme"
const deep = (root, fits) => {
  for (const one of root.querySelectorAll("*")) {
    if (fits(one)) return one
    const found = one.shadowRoot && deep(one.shadowRoot, fits)
    if (found) return found
  }
  return null
}
const hostOf = (one) => one.getRootNode().host
const css = (name, value) => document.documentElement.style.setProperty(name, value)

// The document begins with the bar: it is drawn from `facts` before Bokeh is there, and moves into the page when that comes.
export function render({model, view}) {
  return (globalThis.workstationBar ??= barOf(model)).join(model, view)
}

export function barOf(facts) {
  let model = facts, view = null
  const el = (tag, attributes, ...children) => node(tag, attributes, ...children)
  const badge = el("span", {class: "badge"})
  const account = el("span", {class: "account"}, model.account)
  const equity = figureOf("equity"), day = figureOf("day")
  const feeds = el("button", {class: "quiet", type: "button", "aria-haspopup": "dialog", onclick: () => showFeeds()})
  const alerts = el("button", {class: "quiet", type: "button", "aria-haspopup": "dialog", onclick: () => showAlerts()})
  const loss = el("span", {class: "loss", role: "status", "aria-live": "polite"})
  const kill = el("button", {class: "kill", type: "button", onclick: () => askKill()}, "KILL")
  const box = el("div", {class: "bar"}, badge, account, loss, el("span", {class: "space"}),
    equity.box, day.box, feeds, alerts, kill)
  const dialog = el("dialog", {"aria-labelledby": "title"})
  let told = facts.told ?? null, heardMs = performance.now(), isOpen = false, wasGone = false

  function figureOf(name) {
    const value = el("b", {}), unit = el("small", {})
    return {box: el("span", {class: `figure ${name}`}, el("small", {class: "name"}, name), value, unit), value, unit}
  }

  const word = (text) => el("span", {class: "word"}, text) // left out on a phone

  function draw() {
    const ageMs = silentMs(), isLost = ageMs > LOST_AFTER_MS
    const mode = told?.mode ?? "collect"
    css("--bar-bg", COLOURS[mode])
    css("--bar-image", isLost ? "repeating-linear-gradient(135deg,#0006 0 14px,#0000 14px 28px)" : "none")
    css("--page-dim", isLost ? "0.45" : "1")
    document.documentElement.toggleAttribute("data-lost", isLost)
    box.classList.toggle("lost", isLost)
    badge.textContent = WORDS[mode]
    const since = told?.silent_s === null ? "no engine answers" : `disconnected ${age(ageMs)}`
    const isLate = !view && performance.now() > LATE_MS // Bokeh or Panel has not come
    const trouble = isLost ? since : isLate ? "this page does not load" : ""
    loss.textContent = trouble ? `${trouble} · works without this page: ${model.kill_command}` : ""
    loss.title = isLost ? told?.loss ?? "" : ""
    const isKilled = told?.kill?.is_on ?? false
    kill.textContent = isKilled ? "KILLED" : "KILL"
    kill.classList.toggle("on", isKilled)
    kill.disabled = isLost || !model.can_kill || !view
    kill.title = !view ? `The page is being made. In a terminal: ${model.kill_command}` : isLost ? `The engine does not answer. In a terminal: ${model.kill_command}`
      : !model.can_kill ? "A viewer watches; to act takes the role trader or admin." : "Block new orders and cancel open ones (Shift K)"
    if (!told) return
    const money = told.money[0]
    equity.value.textContent = money ? figure(money.equity) : UNKNOWN
    equity.unit.textContent = money ? money.currency : ""
    equity.box.title = told.money.map((one) => `${figure(one.equity)} ${one.currency} in ${one.sessions} sessions`).join("\n")
    day.value.textContent = money ? `${signed(money.day_return === null ? null : money.day_return * 100)} %` : UNKNOWN
    day.box.title = money ? `${signed(money.day)} ${money.currency} by trading since 00:00 UTC` : ""
    const alive = told.feeds.filter((one) => one.is_alive).length
    feeds.replaceChildren(el("span", {class: alive === told.feeds.length ? "dot" : "dot hollow"}), " ", word("feeds "),
      el("b", {}, `${alive}/${told.feeds.length}`))
    feeds.ariaLabel = `feeds ${alive}/${told.feeds.length}`
    const open = alertsOf()
    const alertWord = open.length === 1 ? " alert" : " alerts"
    alerts.replaceChildren(`${open.length ? "▲" : "△"} `, el("b", {}, String(open.length)), word(alertWord))
    alerts.ariaLabel = `${open.length}${alertWord}`
    alerts.classList.toggle("some", open.length > 0)
  }

  const alertsOf = () => [
    ...(told?.kill?.scopes ?? []).map((one) => `New orders are blocked ${one.session ? `in ${one.session}` : "everywhere"} since `
      + `${moment(one.since_ns)}, by ${one.by}${one.reason ? `: ${one.reason}` : ""}`),
    ...(told?.problems ?? []),
    ...(told?.fallen ?? []).map((one) => `${one.session} is ${one.status}: ${one.reason}`),
  ]
  const silentMs = () => told?.silent_s === null || told === null ? (performance.now() - heardMs) + (told ? 1e9 : 0)
    : (told.silent_s * 1000) + performance.now() - heardMs

  // -- dialogs

  const note = el("div", {class: "note", role: "status", popover: "manual"})
  let noteTimer = null
  function passing(text) {
    note.textContent = text
    if (!note.matches(":popover-open")) note.showPopover()
    clearTimeout(noteTimer)
    noteTimer = setTimeout(() => note.hidePopover(), 4000)
  }
  function question({id, title, lines, label}) {
    let yes = false
    const go = el("button", {type: "button", class: "danger", onclick: () => { yes = true; dialog.close() }}, label)
    show(title, el("ul", {}, ...lines.map((line) => el("li", {}, line))), row(closing("Leave it"), go))
    dialog.addEventListener("close", () => model.send_msg({act: "answer", id, yes}), {once: true})
    go.focus()
  }

  function show(title, ...rest) {
    dialog.replaceChildren(el("h2", {id: "title"}, title), ...rest.filter((one) => one !== null))
    if (!dialog.open) dialog.showModal()
  }
  const closing = (label = "Close") => el("button", {type: "button", class: "plain", onclick: () => dialog.close()}, label)
  const row = (...buttons) => el("div", {class: "buttons"}, ...buttons)

  function showFeeds() {
    const lines = (told?.feeds ?? []).map((one) => el("li", {}, el("b", {}, one.venue), ` ${one.state}`,
      one.stale.length ? `; stale: ${one.stale.join(", ")}` : "", one.reason ? `; ${one.reason}` : ""))
    show("Feeds", lines.length ? el("ul", {}, ...lines) : el("p", {}, "This engine has no feeds."), row(closing()))
  }
  function showAlerts() {
    const open = alertsOf()
    show("Alerts", open.length ? el("ul", {}, ...open.map((one) => el("li", {}, one))) : el("p", {}, "None."), row(closing()))
  }

  function askKill() {
    if (kill.disabled) return
    if (told?.kill?.is_on) return askReset()
    const c = told.closing
    const amount = Object.entries(c.notional).map(([currency, value]) => `about ${figure(value, 0)} ${currency}`).join(" and ")
    const flatten = el("input", {type: "checkbox", id: "flatten"})
    const name = el("input", {id: "account", autocomplete: "off", spellcheck: "false"})
    const go = el("button", {type: "button", class: "danger", onclick: () => {
      model.send_msg({act: "kill", flatten: flatten.checked})
      dialog.close()
    }}, "Block and cancel")
    flatten.addEventListener("change", () => { go.textContent = flatten.checked ? "Block, cancel and close" : "Block and cancel" })
    const isReal = told.mode === "live"
    if (isReal) {
      go.disabled = true
      name.addEventListener("input", () => { go.disabled = name.value !== model.account })
    }
    show("Stop all trading?",
      el("ul", {},
        el("li", {}, `New orders are blocked in all sessions (${c.sessions} now), also after a restart, until the switch is reset.`),
        el("li", {}, `Waiting entries are cancelled: ${c.waiting}. Stops and targets stay: ${c.exits}.`),
        el("li", {}, c.entries.length ? `Positions stay: ${c.entries.join("; ")}.` : "There are no positions.")),
      c.entries.length ? el("label", {for: "flatten"}, flatten, ` Close them too, at the market: ${amount || "no price is known"}`
        + (c.unpriced ? ` and ${c.unpriced} without a price` : "")) : null,
      isReal ? el("label", {for: "account"}, `Real money. Type ${model.account}: `, name) : null,
      row(closing("Keep trading"), go))
    go.focus()
  }

  function askReset() {
    const word = el("input", {id: "word", autocomplete: "off", spellcheck: "false"})
    const go = el("button", {type: "button", class: "danger", disabled: true, onclick: () => {
      model.send_msg({act: "reset_kill", confirm: word.value})
      dialog.close()
    }}, "Allow new orders")
    word.addEventListener("input", () => { go.disabled = word.value !== "reset" })
    show("The kill switch is on",
      el("ul", {}, ...told.kill.scopes.map((one) => el("li", {}, `${one.session ?? "All sessions"}: since ${moment(one.since_ns)}, `
        + `by ${one.by}. ${one.reason} ${one.waiting_entries} entries are still being cancelled, ${one.open_groups} groups are open.`))),
      el("label", {for: "word"}, "Type reset to allow new orders again: ", word), row(closing("Leave it on"), go))
    word.focus()
  }

  // -- what comes in

  let lostTimer = null
  live.watch("state", {whole: (now) => {
    told = now
    heardMs = performance.now()
    draw()
    clearTimeout(lostTimer)
    lostTimer = setTimeout(draw, Math.max(0, LOST_AFTER_MS - silentMs()) + 1) // to the moment, not to the next beat
  }})
  live.onConnection((now) => {
    if (now && wasGone) location.reload() // the dashboard was gone: this page's session went with it
    wasGone ||= isOpen && !now
    isOpen = now
    draw()
  })
  function hear(message) {
    if (message.outcome && message.is_done) passing(message.outcome)
    else if (message.outcome) show("Not done", el("p", {}, message.outcome), row(closing()))
    if (message.ask) question(message.ask)
  }
  // -- the page in sight: told to all by its own property, which passes into every component

  let inSight = ""
  function turn() {
    if (inSight) css(`--page-${inSight}`, "hidden")
    inSight = model.page
    if (inSight) css(`--page-${inSight}`, "visible")
    requestAnimationFrame(() => dispatchEvent(new Event("workstation-turned")))
  }

  // -- keys, sight and theme

  let isGoing = false
  const onKey = (event) => {
    if (!view || isTyping(event) || event.ctrlKey || event.metaKey || event.altKey || dialog.open) return
    const page = isGoing ? model.pages.find((one) => one.key === event.key) : null
    isGoing = event.key === "g" && !isGoing
    if (page) model.send_msg({act: "page", name: page.name})
    else if (event.key === "K") askKill()
    else if (event.key === "?") help()
    else if (event.key === "/") search()
    else return
    event.preventDefault()
  }
  function help() {
    const keys = [...model.pages.map((one) => [`g ${one.key}`, one.label]), ["/", "Choose an instrument"], ["Shift K", "Kill switch (asks)"], ["?", "This list"]]
    show("Keys", el("table", {}, ...keys.map(([key, what]) => el("tr", {}, el("td", {}, el("kbd", {}, key)), el("td", {}, what)))), row(closing()))
  }
  function search() {
    const box = deep(document, (one) => one.matches("[role=combobox]") && one.closest("[aria-hidden=true]") === null && one.checkVisibility()
      && hostOf(one)?.classList.contains("page-search"))
    box?.focus()
    box?.dispatchEvent(new MouseEvent("mousedown", {bubbles: true}))
  }
  document.addEventListener("keydown", onKey)
  document.addEventListener("visibilitychange", () => { if (view) model.send_msg({act: "sight", is_visible: !document.hidden}) })
  const narrow = matchMedia("(max-width: 600px)")
  const frame = () => view?.model.document?.roots().find((one) => one.data?.sidebar_open !== undefined)
  const fold = () => { // the rail lies over the page where that is narrow: closed until it is asked for
    const page = frame()
    if (page) page.data.sidebar_open = !narrow.matches
  }
  narrow.addEventListener("change", fold)
  const wanted = matchMedia("(prefers-color-scheme: dark)")
  const keep = (isDark) => { document.cookie = `${THEME}=${isDark ? "dark" : "light"}; path=/; max-age=31536000; samesite=strict` }
  if (!document.cookie.includes(`${THEME}=`)) { // the first visit: as the system is, from the server on, as colours are painted there
    keep(wanted.matches)
    if (wanted.matches !== model.is_dark && document.cookie.includes(`${THEME}=`)) location.reload()
  }
  // a place of Bokeh's that is being made hears of no new children: what it missed is told again
  async function mend(place) {
    await place.ready
    const children = place.model.children
    if (Array.isArray(children) && children.every((one) => one?.properties) && place.child_views.length < children.length)
      place.model.properties.children.change.emit()
    else place.child_views?.forEach(mend)
  }
  setInterval(() => {
    draw()
    for (const one of frame()?.data.main ?? []) { const place = view.parent.get_child_view(one); if (place) mend(place) }
  }, 500)
  draw()

  const root = el("div", {class: "root"}, box, dialog, note)
  function join(itsModel, itsView) {
    model = itsModel
    view = itsView
    model.on("msg:custom", hear)
    model.on("page", turn)
    model.on("is_dark", () => keep(model.is_dark))
    draw()
    turn()
    requestAnimationFrame(() => {
      if (narrow.matches) fold()
      document.getElementById("first")?.remove()
    })
    return root
  }
  return {root, join}
}

const moment = (ns) => new Date(ns / 1e6).toLocaleString()
const isTyping = (event) => {
  const at = event.composedPath()[0]
  return at instanceof HTMLElement && (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName))
}
