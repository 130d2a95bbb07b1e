// The Live page's side: it feeds the chart beside it, and says what the strategy does now.
const SHOWN = 160
const WAITING = "Waiting for the bars …", NONE = "No bars yet: the first one comes with the next trade."
const quiet = {sync: false}

export function render({model}) {
  const el = node
  const values = el("dl", {class: "values"}), now = el("div", {class: "now"}), quoteLine = el("div", {class: "quote"})
  const root = el("div", {class: "side"}, quoteLine, values, now)
  let filled = null, early = null, state = null, quote = null, stop = null, crossMs = null, isQueued = false

  const chart = (name) => charts.get(model.chart)?.get_model_by_name(name) ?? null

  // -- bars

  const row = (t, o, h, l, c, v) => ({t, o, h, l, c, v, mid: (o + c) / 2, height: Math.abs(c - o), rise: c >= o ? 1 : 0})
  const columns = ({t, o, h, l, c, v}) => ({t, o, h, l, c, v, mid: o.map((x, i) => (x + c[i]) / 2),
    height: o.map((x, i) => Math.abs(c[i] - x)), rise: o.map((x, i) => c[i] >= x ? 1 : 0)})

  function begin(told) {
    trouble = told.problem ?? ""
    say(trouble || (!told.bars ? WAITING : told.bars.t.length ? "" : NONE))
    const source = chart("candles")
    early = source ? null : told
    if (!told.bars || !source) return
    filled = source
    const had = source.data.t?.length ?? 0, data = {}
    for (const [name, array] of Object.entries(columns(told.bars))) data[name] = Float64Array.from(array)
    source.setv({data}, quiet)
    quote = told.quote
    if (!had && data.t.length) show(data.t, told.interval_ms)
    paint()
  }
  let trouble = "", note = ""
  function say(text) { // over the chart
    note = text
    dispatchEvent(new CustomEvent("workstation-chart-note", {detail: {number: model.chart, text}}))
  }
  function show(t, interval) {
    const plot = chart("price"), last = t[t.length - 1]
    if (!plot) return
    const width = plot.properties.inner_width.is_unset ? Infinity : plot.inner_width
    const bars = Math.min(SHOWN, Math.max(10, Math.floor((width || Infinity) / 5))) // as the chart fits itself
    const start = t[Math.max(0, t.length - bars)] - interval, end = last + interval * (1 + Math.max(2, bars / 10))
    plot.x_range.fitted = end - start
    plot.x_range.setv({start, end}, quiet)
  }
  function change(told) {
    quote = told.quote
    const source = chart("candles")
    early = null // what is older than this is not all any more
    if (source && source !== filled) return follow() // it has come since: all bars anew
    if (source) {
      for (const bar of told.bars) put(source, row(...bar))
      if (told.bars.length) source.change.emit(), source.properties.data.change.emit(), say(trouble)
    }
    ask()
  }
  function put(source, bar) {
    const {data} = source
    let n = data.t.length - 1
    while (n >= 0 && data.t[n] > bar.t) n--
    if (n >= 0 && data.t[n] === bar.t) for (const name in bar) data[name][n] = bar[name]
    else if (n === data.t.length - 1) for (const name in bar) data[name] = grown(data[name], bar[name])
  }
  function grown(array, value) {
    const more = new Float64Array(array.length + 1)
    more.set(array)
    more[array.length] = value
    return more
  }

  // -- marks: what was filled, and what rests

  const isHere = (one) => one.venue === model.venue && one.symbol === model.symbol && (!model.session || one.session === model.session)
  function mark() {
    if (!state) return
    const fills = state.fills.filter(isHere), resting = state.orders.filter(isHere)
    set("fills", {time: fills.map((one) => one.updated_ns / 1e6), price: fills.map((one) => Number(one.average_price)),
      side: fills.map((one) => one.side), quantity: fills.map((one) => Number(one.filled_quantity)),
      label: fills.map((one) => `${one.purpose} ${one.session}`)})
    const lines = resting.flatMap((one) => {
      const price = one.stop_price ?? one.limit_price
      return price === null ? [] : [{price: Number(price), side: one.side, quantity: Number(one.quantity) - Number(one.filled_quantity),
        label: one.purpose, kind: one.stop_price !== null ? "stop" : "entry"}]
    })
    for (const group of state.groups) for (const leg of group.leg_views) {
      if (leg.venue !== model.venue || leg.symbol !== model.symbol || (model.session && group.session !== model.session)) continue
      const side = leg.side === "buy" ? "sell" : "buy"
      for (const [kind, price] of [["stop", leg.stop_price], ["target", leg.target_price]])
        if (price !== null && price !== undefined) lines.push({price: Number(price), side, quantity: Number(leg.quantity), label: kind, kind})
    }
    set("orders", Object.fromEntries(["price", "side", "quantity", "label", "kind", "words", "short"].map((name) => [name,
      lines.map((one) => name === "words" || name === "short" ? words(one, name === "short") : one[name])])))
  }
  const words = ({side, quantity, label}, isShort) => isShort ? `${side === "buy" ? "▲" : "▼"} ${label}`
    : `${side === "buy" ? "▲" : "▼"} ${side} ${Number(quantity.toPrecision(6))} · ${label}`
  const marks = new Map()
  function set(name, data) {
    const source = chart(name), text = JSON.stringify(data)
    if (!source || (marks.get(name)?.text === text && marks.get(name).source === source)) return
    marks.set(name, {text, source})
    source.setv({data}, quiet)
  }

  // -- values at the crosshair, or of the last bar

  function paint() {
    isQueued = false
    const data = chart("candles")?.data, n = data?.t?.length ?? 0
    quoteLine.replaceChildren(...(quote ? [pair("bid", quote.bid), pair("ask", quote.ask), pair("last", quote.last)] : []))
    if (!n) { values.replaceChildren(); return }
    let i = n - 1
    if (crossMs !== null) while (i > 0 && data.t[i] > crossMs) i--
    const d = model.price_decimals, before = i > 0 ? data.c[i - 1] : data.o[i], moved = (data.c[i] / before - 1) * 100
    const when = new Date(data.t[i])
    const rows = [["time", when.toLocaleString(undefined, {month: "short", day: "2-digit", hour: "2-digit", minute: "2-digit", hour12: false}), "time", when.toISOString()],
      ["open", figure(data.o[i], d)], ["high", figure(data.h[i], d)], ["low", figure(data.l[i], d)], ["close", figure(data.c[i], d)],
      ["change", `${moved < 0 ? "▼ " : moved > 0 ? "▲ " : ""}${signed(moved)} %`, sign(moved)], ["volume", compact(data.v[i])]]
    values.replaceChildren(...rows.map(([name, text, kind, title]) =>
      el("div", {title}, el("dt", {}, name), el("dd", {class: kind ?? ""}, text))))
  }
  const compact = (value) => Number.isFinite(value) ? value.toLocaleString(undefined, {maximumSignificantDigits: 5}) : UNKNOWN
  const pair = (name, value) => el("span", {}, el("small", {}, name), ` ${figure(value, model.price_decimals)}`)
  const ask = () => { if (!isQueued) { isQueued = true; requestAnimationFrame(paint) } }
  const onCross = ({detail}) => { crossMs = detail; ask() }
  addEventListener("workstation-cross", onCross)

  // -- now

  function tell() {
    const session = state?.sessions.find((one) => one.session === model.session)
    now.replaceChildren(el("h3", {}, "Now"), ...(session ? sentences(session) : [el("p", {}, state
      ? "No session is chosen here. The chart shows the market alone." : "Waiting for the engine.")]))
  }
  const sentences = (session) => [el("p", {}, el("b", {}, session.session)), ...(state.now[session.session] ?? []).map((line) =>
    el("p", {}, ...line.map((part) => Array.isArray(part) ? el(part[0] === "b" ? "b" : "span", {class: part[0]}, part[1]) : part)))]

  // -- what comes in

  const stopState = live.watch("state", {whole: (told) => { state = told; if (isSeen(root)) { mark(); tell() } }})
  function follow() {
    marks.clear()
    quote = null
    crossMs = null
    const before = stop
    stop = early = null
    attend()
    before?.() // only now: where the channel is the same, the server goes on with it
    mark()
    tell()
    paint()
  }
  function attend() { // only while the page is in sight
    const isWanted = Boolean(model.venue) && isSeen(root)
    if (isWanted && !stop) {
      say(WAITING)
      stop = live.watch(`candles:${model.venue}:${model.symbol}:${model.interval}`, {snapshot: begin, delta: change})
      mark()
      tell()
    } else if (!isWanted) rest()
  }
  const rest = () => { stop?.(); stop = early = null }
  const stopSight = onSight(root, attend)
  const followSoon = () => requestAnimationFrame(follow)
  const onChart = ({detail}) => { // what came before it did is drawn now
    if (detail !== model.chart) return
    say(note)
    if (early) begin(early), mark()
    else if (stop) follow()
  }
  addEventListener("workstation-chart", onChart)
  model.on("chart", followSoon)
  model.on("session", () => { marks.clear(); mark(); tell() })
  model.on("remove", () => {
    rest()
    stopSight()
    stopState()
    removeEventListener("workstation-cross", onCross)
    removeEventListener("workstation-chart", onChart)
  })
  followSoon()
  tell()
  return root
}
