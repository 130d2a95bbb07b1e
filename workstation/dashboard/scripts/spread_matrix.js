// Net edges of all pairs: of one symbol venue by venue, or of all symbols pair by pair. A cell chooses its pair.
const CALM_BPS = 20

export function render({model}) {
  const el = node
  const one = tab("one"), all = tab("all"), grid = el("div", {class: "scroll"}), legend = el("p", {class: "legend"})
  const root = el("section", {class: "matrix", "aria-label": "Net edges of all pairs"},
    el("div", {class: "head"}, el("h3", {}, "All pairs"), el("small", {}, "net edge, bps"), el("span", {class: "space"}), one, all), grid, legend)
  let told = null, heardMs = 0, isAll = false, stop = null, drawn = "", cells = []

  function tab(name) {
    return el("button", {type: "button", class: "tab", onclick: () => { isAll = name === "all"; draw() }})
  }

  function draw() {
    one.textContent = model.symbol
    all.textContent = "All symbols"
    one.setAttribute("aria-pressed", String(!isAll))
    all.setAttribute("aria-pressed", String(isAll))
    if (!told) return
    const pairs = isAll ? told.pairs : told.pairs.filter(([symbol]) => symbol === model.symbol)
    const shape = JSON.stringify([isAll, model.symbol, pairs.map((pair) => pair.slice(0, 3))])
    if (shape !== drawn) {
      drawn = shape
      cells = []
      grid.replaceChildren(isAll ? bySymbol(pairs) : byVenue(pairs))
      legend.textContent = isAll ? "Each cell is the better way of its pair." : "Sell at the row, buy at the column. Both taker fees are taken off."
    }
    figures()
  }
  function byVenue(pairs) {
    const venues = [...new Set(pairs.flatMap(([, a, b]) => [a, b]))].sort()
    const found = new Map(pairs.flatMap(([symbol, a, b]) => [[`${a}:${b}`, [symbol, a, b, "ab"]], [`${b}:${a}`, [symbol, a, b, "ba"]]]))
    return table(["sell ↓ buy →", ...venues], venues.map((sold) => [sold, venues.map((bought) => found.get(`${sold}:${bought}`))]))
  }
  function bySymbol(pairs) {
    const names = [...new Set(pairs.map(([, a, b]) => `${a} / ${b}`))].sort(), symbols = [...new Set(pairs.map(([symbol]) => symbol))].sort()
    const found = new Map(pairs.map(([symbol, a, b]) => [`${symbol}:${a} / ${b}`, [symbol, a, b, "best"]]))
    return table(["symbol", ...names], symbols.map((symbol) => [symbol, names.map((name) => found.get(`${symbol}:${name}`))]))
  }
  const table = (heads, lines) => el("table", {},
    el("thead", {}, el("tr", {}, ...heads.map((name) => el("th", {scope: "col", title: name}, name)))),
    el("tbody", {}, ...lines.map(([name, places], row) => el("tr", {}, el("th", {scope: "row", title: name}, name),
      ...places.map((place, column) => el("td", {}, place ? cell(place, row, column) : el("span", {class: "none"}, "·")))))))
  function cell([symbol, a, b, way], row, column) {
    const button = el("button", {type: "button", class: "cell", onkeydown: move,
      onclick: () => model.send_msg({choose: [symbol, a, b]})})
    Object.assign(button.dataset, {row, column})
    cells.push({button, symbol, a, b, way})
    return button
  }
  function move(event) {
    const by = {ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0]}[event.key]
    if (!by) return
    event.preventDefault()
    let {row, column} = event.currentTarget.dataset
    for (let steps = 0; steps < 2; steps++) { // over the empty cell of a venue with itself
      row = Number(row) + by[0]
      column = Number(column) + by[1]
      const next = grid.querySelector(`[data-row="${row}"][data-column="${column}"]`)
      if (next) { next.focus(); return }
    }
  }

  function figures() {
    const since = performance.now() - heardMs
    const found = new Map(told.pairs.map((pair) => [pair.slice(0, 3).join("\n"), pair]))
    for (const one of cells) {
      const pair = found.get([one.symbol, one.a, one.b].join("\n"))
      if (pair) paint(one, pair, since)
    }
  }
  function paint({button, symbol, a, b, way}, [, , , ab, ba, ageA, ageB], since) {
    const ms = ageA === null || ageB === null ? null : Math.max(ageA, ageB) + since
    const isAb = way === "ab" || (way === "best" && !(ba > ab)), value = isAb ? ab : ba
    const [sold, bought] = isAb ? [a, b] : [b, a]
    const isKnown = value !== null && ms !== null && ms <= told.stale_ms
    const text = isKnown ? `${value > 0 ? "▲" : "▼"} ${signed(value, 1)}` : ms === null ? UNKNOWN : age(ms)
    const kind = !isKnown ? "stale" : sign(value)
    const isChosen = symbol === model.symbol && a === model.venue_a && b === model.venue_b
    const words = way === "best" && isKnown ? `sell ${sold}` : ""
    const key = `${text}|${words}|${kind}|${isChosen}`
    if (button.dataset.key === key) return
    button.dataset.key = key
    button.className = `cell ${kind}`
    button.style.setProperty("--share", isKnown ? `${Math.round((value > 0 ? 8 : 2) + (value > 0 ? 26 : 7) * Math.min(1, Math.abs(value) / CALM_BPS))}%` : "0%")
    button.setAttribute("aria-pressed", String(isChosen))
    button.setAttribute("aria-label", `${symbol}: sell ${sold}, buy ${bought}: ${isKnown ? `${signed(value, 1)} bps` : ms === null ? "not known" : `stale for ${age(ms)}`}`)
    button.replaceChildren(text, ...(words ? [el("small", {}, words)] : []))
  }

  function follow() {
    const isWanted = isSeen(root)
    if (isWanted && !stop) stop = live.watch("spreads", {snapshot: (now) => { told = now; heardMs = performance.now(); draw() }})
    else if (!isWanted && stop) { stop(); stop = null }
  }
  const stopSight = onSight(root, () => requestAnimationFrame(follow))
  const clock = setInterval(() => { if (told && stop && !document.hidden) figures() }, 1000)
  for (const name of ["symbol", "venue_a", "venue_b"]) model.on(name, draw)
  model.on("remove", () => { stop?.(); stopSight(); clearInterval(clock) })
  draw()
  return root
}
