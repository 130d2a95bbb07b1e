// Spans in which crossing would have paid, the newest first: what lasts on top.
const SHOWN = 60, LINGER_MS = 60_000, LEAST_SPAN_MS = 5 * 60_000, FAINTEST = 0.35

export function render({model}) {
  const el = node
  const body = el("tbody", {}), count = el("small", {})
  const csv = el("button", {type: "button", class: "csv", onclick: () => save(), "aria-label": "Opportunities as CSV"}, "CSV")
  const heads = [["Start", "left"], ["Way", "left"], ["Lasted", ""], ["Peak, bps", ""], ["Capacity", ""], ["Left, bps", ""]]
  const head = el("tr", {}, ...heads.map(([name, kind]) => el("th", {scope: "col", class: kind}, name)))
  const teach = el("p", {class: "teach"})
  const since = el("span", {}), lanes = ["ab", "ba"].map((way) => ({way, name: el("span", {class: "name"}), track: el("div", {class: "track"})}))
  const times = el("div", {class: "timeline", role: "img", "aria-label": "Opportunities over time", hidden: ""},
    ...lanes.map(({name, track}) => el("div", {class: "lane"}, name, track)), el("div", {class: "axis"}, since, el("span", {}, "now")))
  const root = el("section", {class: "opportunities", "aria-label": "Opportunities"},
    el("div", {class: "head"}, el("h3", {}, "Opportunities"), count, el("span", {class: "space"}), csv),
    times,
    el("div", {class: "scroll"}, el("table", {}, el("thead", {}, head), body)), teach)
  let pair = pairOf(model.pair), ended = [], lasting = [], base = "", isTold = false, stop = null, watched = "", isQueued = false, nowMs = 0

  function begin(told) {
    if (!told.points) return
    ended = [...told.ended]
    base = told.base
    isTold = !told.is_reading
    take(told)
  }
  function change(told) {
    ended.push(...told.ended)
    if (ended.length > 200) ended.splice(0, ended.length - 200)
    if (told.ended.length || told.lasting.length || lasting.length) take(told)
  }
  function take(told) {
    lasting = told.lasting
    nowMs = told.now?.t ?? nowMs
    if (!isQueued) { isQueued = true; setTimeout(draw, 250) }
  }
  function draw() {
    isQueued = false
    const all = [...lasting, ...[...ended].reverse()]
    count.textContent = all.length ? String(all.length) : ""
    head.children[4].textContent = base ? `Capacity, ${base}` : "Capacity"
    teach.textContent = all.length || !isTold ? "" : "None in the last two hours: no crossing would have paid its fees for long enough. They are listed here when one does."
    csv.disabled = !all.length
    body.replaceChildren(...all.slice(0, SHOWN).map(line))
    drawTimes(all)
  }
  // when, for how long, and by its strength how good each was against the best that is drawn
  function drawTimes(all) {
    times.toggleAttribute("hidden", !all.length)
    if (!all.length) return
    const last = Math.max(nowMs, ...all.map(([, start, end]) => end ?? start))
    const first = Math.min(last - LEAST_SPAN_MS, ...all.map(([, start]) => start))
    const best = Math.max(...all.map(([, , , peak]) => peak)), place = (t) => 100 * (t - first) / (last - first)
    since.textContent = new Date(first).toLocaleTimeString(undefined, {hour12: false})
    for (const {way, name, track} of lanes) {
      const [sold, bought] = ends(way)
      name.textContent = `sell ${sold}, buy ${bought}`
      track.replaceChildren(...all.filter((one) => one[0] === way).map(([, start, end, peak]) => el("i", {
        class: end === null ? "lasts" : "", title: `${new Date(start).toLocaleTimeString(undefined, {hour12: false})}, ${length((end ?? last) - start)}, peak ${signed(peak)} bps`,
        style: `left: ${place(start)}%; width: ${place(end ?? last) - place(start)}%; opacity: ${best > 0 ? Math.max(FAINTEST, peak / best) : 1}`})))
    }
  }
  const ends = (way, names = pair.short) => way === "ab" ? names : [...names].reverse()
  function line([way, start, end, peak, capacity, left]) {
    const [sold, bought] = ends(way), when = new Date(start), ms = (end ?? Math.max(nowMs, start)) - start
    return el("tr", {class: end === null ? "lasts" : ""},
      el("td", {class: "left", title: when.toISOString()}, when.toLocaleTimeString(undefined, {hour12: false})),
      el("td", {class: "left way", title: `sell ${sold}, buy ${bought}`}, `sell ${sold}, buy ${bought}`),
      el("td", {}, end === null ? `▲ ${length(ms)}` : length(ms)),
      el("td", {class: "peak"}, signed(peak)),
      el("td", {}, capacity === null ? UNKNOWN : Number(capacity.toPrecision(4)).toLocaleString(undefined, {maximumSignificantDigits: 4})),
      el("td", {class: sign(left), title: "The net edge that an order found which was sent at the opening"}, signed(left)))
  }
  const length = (ms) => ms < 1000 ? "< 1 s" : ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : age(ms)
  const save = () => download("opportunities.csv", ["symbol", "sell", "buy", "basis", "start", "end", "peak_bps", "capacity", "left_bps"],
    [...ended, ...lasting].map(([way, start, end, peak, capacity, left]) => [pair.a.symbol, ...ends(way, pair.long), pair.basis?.name ?? "", new Date(start).toISOString(),
      end === null ? "" : new Date(end).toISOString(), peak, capacity, left]))

  function follow() {
    clearTimeout(resting)
    if (!isSeen(root) && watched) { resting = setTimeout(() => rest(), LINGER_MS); return }
    const wanted = isSeen(root) && model.pair ? `spread:${model.pair}` : ""
    if (wanted === watched) return
    stop?.()
    stop = null
    if (wanted) {
      pair = pairOf(model.pair)
      ended = []
      lasting = []
      isTold = false
      draw()
      stop = live.watch(wanted, {snapshot: begin, delta: change})
    }
    watched = wanted
  }
  const rest = () => { stop?.(); stop = null; watched = "" }
  let following = 0, resting = 0
  const followSoon = () => { cancelAnimationFrame(following); following = requestAnimationFrame(follow) }
  model.on("pair", followSoon)
  const stopSight = onSight(root, followSoon)
  model.on("remove", () => { stop?.(); clearTimeout(resting); stopSight() })
  draw()
  return root
}
