// The Spreads page's side: it feeds the chart beside it, and says in words where the edge is.
const COLUMNS = ["t", "spread", "mean", "upper", "lower", "net_edge_ab", "net_edge_ba", "z"]
const GUTTER = 0.03, SLOWEST_MS = 1000, FASTEST_MS = 100, PIXELS = 1500
const LINGER_MS = 60_000 // a page that is turned away from is followed so long: coming back costs nothing
const quiet = {sync: false}

export function render({model}) {
  const el = node
  const quotes = el("table", {class: "quotes"}), values = el("dl", {class: "values"}), fees = el("p", {class: "fees"})
  const now = el("div", {class: "now", role: "status"}), problem = el("p", {class: "problem"})
  const root = el("div", {class: "side"}, problem, now, quotes, fees, values)
  let pair = pairOf(model.pair)
  let told = null, points = empty(), ended = [], lasting = [], heardMs = 0, state = null
  let stop = null, watched = "", crossMs = null, isQueued = false, drawnMs = 0, drawing = 0, placed = null

  // -- the series

  function empty() { return Object.fromEntries(COLUMNS.map((name) => [name, []])) }
  const known = (value) => value ?? NaN
  function begin(snapshot) {
    problem.textContent = snapshot.problem || (snapshot.is_reading ? "Reading what is recorded of the last two hours …" : "")
    problem.classList.toggle("waits", !snapshot.problem)
    if (!snapshot.points) return
    told = snapshot
    points = empty()
    for (const name of COLUMNS) points[name] = snapshot.points[name].map(known)
    ended = [...snapshot.ended]
    take(snapshot)
    drawSoon(true)
  }
  function change(delta) {
    if (!told) return
    let kept = points.t.length
    while (kept > 0 && (delta.after === null || points.t[kept - 1] > delta.after)) kept--
    const oldest = (delta.points.at(-1)?.[0] ?? 0) - 7_260_000
    let out = 0
    while (out < kept && points.t[out] < oldest) out++
    COLUMNS.forEach((name, place) => {
      points[name].length = kept
      if (out) points[name].splice(0, out)
      for (const point of delta.points) points[name].push(known(point[place]))
    })
    ended.push(...delta.ended)
    if (ended.length > 200) ended.splice(0, ended.length - 200)
    take(delta)
    drawSoon()
  }
  function take({lasting: open, now: figures}) {
    lasting = open
    told.now = figures
    heardMs = performance.now()
    ask()
  }

  // -- the chart: no more often than a pixel of its span takes

  const chart = (name) => charts.get(model.chart)?.get_model_by_name(name) ?? null
  function drawSoon(isAtOnce = false) {
    if (isAtOnce) { clearTimeout(drawing); drawing = 0; drawnMs = 0 }
    if (drawing) return
    const pace = Math.min(SLOWEST_MS, Math.max(FASTEST_MS, model.span_ms / PIXELS))
    drawing = setTimeout(draw, Math.max(0, drawnMs + pace - performance.now()))
  }
  function draw() {
    drawing = 0
    const source = chart("spread"), spans = chart("opportunities"), range = chart("spread_bands")?.x_range
    if (!source || !spans || !range || document.hidden || !isSeen(root)) return
    drawnMs = performance.now()
    const last = points.t.at(-1) ?? Date.now(), isOurs = !placed || (range.start === placed.start && range.end === placed.end)
    const first = isOurs ? last - model.span_ms : -Infinity
    let from = points.t.findIndex((t) => t >= first)
    from = Math.max(0, from - 1)
    const data = {}
    for (const name of COLUMNS) data[name] = Float64Array.from(from ? points[name].slice(from) : points[name])
    source.setv({data}, quiet)
    const shown = [...ended, ...lasting].filter(([, , end]) => end === null || end >= first)
    spans.setv({data: {start: shown.map(([, start]) => start), end: shown.map(([, start, end]) => Math.max(end ?? last, start + 1))}}, quiet)
    if (!isOurs) return
    placed = {start: last - model.span_ms, end: last + model.span_ms * GUTTER}
    range.setv({...placed, reset_start: placed.start, reset_end: placed.end}, quiet)
  }
  const place = () => { placed = null; drawSoon(true) }
  const onChart = ({detail}) => { if (detail === model.chart) place() }
  addEventListener("workstation-chart", onChart)

  // -- figures

  function paint() {
    isQueued = false
    if (!told) { for (const part of [quotes, fees, values]) part.replaceChildren(); tell(); return }
    const since = performance.now() - heardMs, figures = told.now
    quotes.classList.toggle("named", !pair.isPlain)
    quotes.replaceChildren(el("thead", {}, el("tr", {}, ...["", "bid", "ask", "age"].map((name) => el("th", {scope: "col"}, name)))),
      el("tbody", {}, ...sides().map((side) => quoteRow(side, figures, since))))
    const taken = pair.basis ? ["A", "B"] : pair.short
    fees.textContent = `Fees assumed: ${taken.map((side, i) => `${side} ${plain(told.fees_bps[i])}`).join(", ")} bps, as takers`
      + (pair.basis ? "; that of the conversion is not counted" : "")
    const at = row()
    values.replaceChildren(...(at ? rows(at) : []))
    tell()
  }
  function quoteRow(side, figures, since) {
    const old = figures?.[`age_${side}_ms`], ms = old === null || old === undefined ? null : old + since
    const isStale = ms === null || ms > told.stale_ms
    const {venue, symbol, name} = pair[side], decimals = side === "basis" ? told.basis_decimals : told.decimals
    return el("tr", {class: isStale ? "stale" : "", "aria-label": isStale ? "stale" : null},
      el("th", {scope: "row", title: name}, venue, ...(pair.isPlain ? [] : [el("small", {}, breakable(symbol))])),
      ...["bid", "ask"].map((name) => el("td", {}, figure(figures?.[`${name}_${side}`], decimals))),
      el("td", {class: "age"}, age(ms)))
  }
  function row() {
    const n = points.t.length
    if (!n) return null
    let i = n - 1
    if (crossMs !== null) while (i > 0 && points.t[i] > crossMs) i--
    return Object.fromEntries(COLUMNS.map((name) => [name, points[name][i]]))
  }
  function rows(at) {
    const when = new Date(at.t), time = when.toLocaleTimeString(undefined, {hour12: false})
    const [a, b] = pair.short
    const figures = [["time", time, "time", when.toISOString()],
      ["spread, bps", signed(at.spread)], ["mean", signed(at.mean)], ["upper", Number.isFinite(at.spread) ? signed(at.upper) : UNKNOWN],
      ["lower", Number.isFinite(at.spread) ? signed(at.lower) : UNKNOWN], ["z", signed(at.z)],
      [`sell ${a}, buy ${b}`, marked(at.net_edge_ab), sign(at.net_edge_ab), "Net edge, bps", 0],
      [`sell ${b}, buy ${a}`, marked(at.net_edge_ba), sign(at.net_edge_ba), "Net edge, bps", 1]]
    return figures.map(([name, text, kind, title, line]) => el("div", {title}, el("dt", {}, ...ink(line), name), el("dd", {class: kind ?? ""}, text)))
  }
  const ink = (line) => {
    if (line === undefined) return []
    const mark = el("i", {"aria-hidden": "true"})
    mark.style.background = model.inks[line] ?? "none"
    return [mark]
  }
  const plain = (bps) => Number(bps.toFixed(2)).toLocaleString()
  const marked = (value) => Number.isFinite(value) ? `${value > 0 ? "▲" : value < 0 ? "▼" : ""} ${signed(value)}` : UNKNOWN
  const ask = () => { if (!isQueued) { isQueued = true; requestAnimationFrame(paint) } }

  // -- now, in words

  function tell() {
    const lines = told?.now ? sentences(told.now, performance.now() - heardMs) : [["Waiting for quotes of both sides."]]
    const text = JSON.stringify(lines)
    if (now.dataset.text === text) return
    now.dataset.text = text
    now.replaceChildren(el("h3", {}, "Now"), ...lines.map((line) => el("p", {}, ...line.map((part) =>
      Array.isArray(part) ? el(part[0] === "b" ? "b" : "span", {class: part[0]}, part[1]) : part))))
  }
  function sentences(figures, since) {
    const old = sides().filter((side) => figures[`age_${side}_ms`] === null || figures[`age_${side}_ms`] + since > told.stale_ms)
    if (old.length || figures.spread_bps === null) return [stale(old, figures, since), ...compared(), ...traders()]
    return [edge(figures), ...lasted(figures), distance(figures), together(figures), ...compared(), ...traders()].filter((line) => line.length)
  }
  function compared() {
    if (!pair.basis) return []
    const [[, quote], [, other]] = [currenciesOf(pair.a), currenciesOf(pair.b)]
    return [[`Prices in ${other} are turned into ${quote} by `, ["b", sideName("basis")], "."]]
  }
  const sides = () => pair.basis ? ["a", "b", "basis"] : ["a", "b"]
  const sideName = (side) => side === "basis" ? `${pair.basis.venue} ${pair.basis.symbol}` : pair.short[side === "a" ? 0 : 1]
  const stale = (old, figures, since) => ["No edge is known: ", ...(old.length ? old.flatMap((side, i) => {
    const ms = figures[`age_${side}_ms`]
    const which = side === "basis" ? ", by which the two currencies are compared," : ""
    return [i ? ", and " : "", ["b", sideName(side)], which + (ms === null ? " has told nothing yet" : ` is silent for ${age(ms + since)}`)]
  }) : ["a side has only just come back"]), "."]
  function edge({net_edge_ab_bps: ab, net_edge_ba_bps: ba}) {
    const isAb = ab >= ba, best = isAb ? ab : ba, [dear, cheap] = isAb ? pair.short : [...pair.short].reverse()
    const cost = plain(told.fees_bps[0] + told.fees_bps[1])
    if (best > 0) return [["up", `▲ ${signed(best)} bps`], " net of fees: sell at ", ["b", dear], ", buy at ", ["b", cheap], "."]
    return ["No edge: selling at ", ["b", dear], " and buying at ", ["b", cheap], " would cost ", ["b", `${figure(-best)} bps`], `, fees of ${cost} with it.`]
  }
  function lasted({t, capacities}) {
    const open = lasting.at(-1)
    if (open) {
      const [way, start, , peak] = open, most = capacities[way === "ab" ? 0 : 1]
      return [["For ", ["b", length(t - start)], `, peak ${signed(peak)} bps`, ...(most === null ? [] : [", good for ", ["b", `${quantity(most)} ${told.base}`]]), "."]]
    }
    const last = ended.at(-1)
    if (!last) return told.is_reading ? [] : [["None in the last two hours."]]
    return [["The last one ended ", ["b", age(t - last[2])], ` ago: ${length(last[2] - last[1])}, peak ${signed(last[3])} bps.`]]
  }
  function distance({spread_bps: spread, mean_bps: mean, upper_bps: upper, lower_bps: lower, min_bps: min, max_bps: max, z, points: count}) {
    if (mean === null) return [`The bands are not known yet: ${count} points so far.`]
    const away = spread - mean, isAbove = away >= 0, room = isAbove ? upper - spread : spread - lower, band = isAbove ? "upper" : "lower"
    const where = [["b", `${figure(Math.abs(away))} bps ${isAbove ? "above" : "below"}`], ` its mean${z === null ? "" : `, z ${signed(z)}`}; `]
    return ["The spread is ", ...where, ["b", `${figure(Math.abs(room))} bps`], ` ${room >= 0 ? "inside" : "outside"} the ${band} band. `,
      `Its window spans ${signed(min)} to ${signed(max)} bps.`]
  }
  function together({correlation, half_life_s: halfLife, lead_s: lead}) {
    if (correlation === null) return []
    const leads = lead ? ["; ", ["b", pair.short[lead > 0 ? 0 : 1]], ` moves first, by ${Math.abs(lead)} s`] : []
    const back = halfLife === null ? [] : ["; half of a distance is gone after ", ["b", length(halfLife * 1000)]]
    return ["Their returns correlate ", ["b", figure(correlation)], ...leads, ...back, "."]
  }
  function traders() {
    if (!state) return []
    const keys = [pair.a.name, pair.b.name]
    const those = state.sessions.filter((one) => !["stopped", "broken"].includes(one.status) && keys.every((key) => one.instruments.includes(key)))
    if (!those.length) return [["No session trades this pair."]]
    return those.map((one) => [["b", one.session], ` trades it: ${one.strategy}, ${one.status}, `,
      one.open_groups ? ["b", one.open_groups === 1 ? "1 group open" : `${one.open_groups} groups open`] : "no group open", "."])
  }
  const length = (ms) => ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : age(ms)
  const quantity = (value) => Number(value.toPrecision(4)).toLocaleString(undefined, {maximumSignificantDigits: 4})

  // -- what comes in, while the page is in sight

  const onCross = ({detail}) => { crossMs = detail; ask() }
  addEventListener("workstation-spread-cross", onCross)
  const clock = setInterval(() => { if (stop && !document.hidden) ask() }, 1000)
  const stopState = live.watch("state", {whole: (told) => { state = told; if (stop) ask() }})
  function follow() {
    clearTimeout(resting)
    if (!isSeen(root) && watched) { resting = setTimeout(() => rest(), LINGER_MS); return }
    const wanted = isSeen(root) && model.pair ? `spread:${model.pair}` : ""
    if (wanted) drawSoon()
    if (wanted === watched) return
    stop?.()
    stop = null
    if (wanted) {
      const isOther = root.dataset.pair !== wanted
      root.dataset.pair = wanted
      if (isOther) { pair = pairOf(model.pair); told = null; points = empty(); ended = []; lasting = []; crossMs = null; problem.textContent = ""; place(); paint() }
      stop = live.watch(wanted, {snapshot: begin, delta: change})
    }
    watched = wanted
  }
  const rest = () => { stop?.(); stop = null; watched = "" }
  let following = 0, resting = 0
  const followSoon = () => { cancelAnimationFrame(following); following = requestAnimationFrame(follow) }
  model.on("pair", followSoon)
  model.on("span_ms", place)
  model.on("inks", ask)
  const stopSight = onSight(root, followSoon)
  model.on("remove", () => {
    stop?.()
    stopState()
    stopSight()
    clearInterval(clock)
    clearTimeout(drawing)
    clearTimeout(resting)
    removeEventListener("workstation-spread-cross", onCross)
    removeEventListener("workstation-chart", onChart)
  })
  return root
}
