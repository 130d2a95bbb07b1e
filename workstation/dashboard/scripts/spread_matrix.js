// Net edges of all pairs: of one symbol side by side, or of all symbols pair by pair. A cell chooses its pair.
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
    const symbol = pairOf(model.pair)?.a.symbol ?? ""
    one.textContent = symbol
    all.textContent = "All symbols"
    one.setAttribute("aria-pressed", String(!isAll))
    all.setAttribute("aria-pressed", String(isAll))
    if (!told) return
    const known = told.pairs.map(([name]) => pairOf(name))
    const pairs = isAll ? known : known.filter(({a, b}) => [a.symbol, b.symbol].includes(symbol))
    const shape = JSON.stringify([isAll, symbol, pairs.map(({name}) => name)])
    if (shape !== drawn) {
      drawn = shape
      cells = []
      grid.replaceChildren(isAll ? bySymbol(pairs) : bySide(pairs, symbol))
      legend.textContent = isAll ? "Each cell is the better way of its pair." : "Sell at the row, buy at the column. Both taker fees are taken off."
    }
    figures()
  }
  // a side is a venue; of another symbol than the one shown it says which, and over which basis where that is not all
  function bySide(pairs, symbol) {
    const places = new Map() // by key: what is said, in one or two lines
    const keyOf = (pair, side) => side === pair.b && pair.basis ? `${side.name} ${pair.basis.name}` : side.name
    for (const pair of pairs) {
      for (const side of [pair.a, pair.b]) places.set(keyOf(pair, side), [side.venue, side.symbol === symbol ? "" : side.symbol, side])
    }
    for (const [key, said] of places) {
      const [, basis] = key.split(" ")
      if (basis && [...places.values()].filter(([, , side]) => side.name === said[2].name).length > 1) said[1] = `${said[1] || symbol} over ${basis}`
    }
    const keys = [...places.keys()].sort((one, other) => `${places.get(one)[1]} ${one}`.localeCompare(`${places.get(other)[1]} ${other}`))
    const found = new Map(pairs.flatMap((pair) => {
      const [a, b] = [keyOf(pair, pair.a), keyOf(pair, pair.b)]
      return [[`${a}\n${b}`, [pair, "ab"]], [`${b}\n${a}`, [pair, "ba"]]]
    }))
    return table([["sell ↓ buy →"], ...keys.map((key) => places.get(key))],
      keys.map((sold) => [places.get(sold), keys.map((bought) => found.get(`${sold}\n${bought}`))]))
  }
  function bySymbol(pairs) {
    const venuesOf = ({a, b}) => `${a.venue} / ${b.venue}`, idOf = ({label, basis}) => `${label}\n${basis?.name ?? ""}`
    const names = [...new Set(pairs.map(venuesOf))].sort(), ids = [...new Set(pairs.map(idOf))].sort()
    const found = new Map(pairs.map((pair) => [`${idOf(pair)}\n${venuesOf(pair)}`, [pair, "best"]]))
    const lines = ids.map((id) => id.split("\n")).map(([label, basis]) => [label, basis && `over ${basis}`])
    return table([["symbol"], ...names.map((name) => [name])],
      ids.map((id, row) => [lines[row], names.map((name) => found.get(`${id}\n${name}`))]))
  }
  const head = (scope, [name, more]) => el("th", {scope, title: more ? `${name} ${more}` : name}, breakable(name), ...(more ? [el("small", {}, breakable(more))] : []))
  const table = (heads, lines) => el("table", {},
    el("thead", {}, el("tr", {}, ...heads.map((said) => head("col", said)))),
    el("tbody", {}, ...lines.map(([said, places], row) => el("tr", {}, head("row", said),
      ...places.map((place, column) => el("td", {}, place ? cell(place, row, column) : el("span", {class: "none"}, "·")))))))
  function cell([pair, way], row, column) {
    const button = el("button", {type: "button", class: "cell", onkeydown: move, onclick: () => model.send_msg({choose: pair.name})})
    Object.assign(button.dataset, {row, column})
    cells.push({button, pair, way})
    return button
  }
  function move(event) {
    const by = {ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0]}[event.key]
    if (!by) return
    event.preventDefault()
    let {row, column} = event.currentTarget.dataset
    for (let steps = 0; steps <= cells.length; steps++) { // over empty cells, as of a venue with itself
      row = Number(row) + by[0]
      column = Number(column) + by[1]
      const next = grid.querySelector(`[data-row="${row}"][data-column="${column}"]`)
      if (next) { next.focus(); return }
    }
  }

  function figures() {
    const since = performance.now() - heardMs
    const found = new Map(told.pairs.map((line) => [line[0], line]))
    for (const one of cells) {
      const line = found.get(one.pair.name)
      if (line) paint(one, line, since)
    }
  }
  function paint({button, pair, way}, [, ab, ba, oldest], since) {
    const ms = oldest === null ? null : oldest + since
    const isAb = way === "ab" || (way === "best" && !(ba > ab)), value = isAb ? ab : ba
    const [sold, bought] = isAb ? pair.short : [...pair.short].reverse()
    const isKnown = value !== null && ms !== null && ms <= told.stale_ms
    const text = isKnown ? `${value > 0 ? "▲" : "▼"} ${signed(value, 1)}` : ms === null ? UNKNOWN : age(ms)
    const kind = !isKnown ? "stale" : sign(value)
    const isChosen = pair.name === model.pair
    const words = way === "best" && isKnown ? `sell ${sold}` : ""
    const key = `${text}|${words}|${kind}|${isChosen}`
    if (button.dataset.key === key) return
    button.dataset.key = key
    button.className = `cell ${kind}`
    button.style.setProperty("--share", isKnown ? `${Math.round((value > 0 ? 8 : 2) + (value > 0 ? 26 : 7) * Math.min(1, Math.abs(value) / CALM_BPS))}%` : "0%")
    button.setAttribute("aria-pressed", String(isChosen))
    button.setAttribute("aria-label", `${pair.label}: sell ${sold}, buy ${bought}${pair.basis ? ` over ${pair.basis.name}` : ""}: ${isKnown ? `${signed(value, 1)} bps` : ms === null ? "not known" : `stale for ${age(ms)}`}`)
    button.replaceChildren(text, ...(words ? [el("small", {}, words)] : []))
  }

  function follow() {
    const isWanted = isSeen(root)
    if (isWanted && !stop) stop = live.watch("spreads", {snapshot: (now) => { told = now; heardMs = performance.now(); draw() }})
    else if (!isWanted && stop) { stop(); stop = null }
  }
  const stopSight = onSight(root, () => requestAnimationFrame(follow))
  const clock = setInterval(() => { if (told && stop && !document.hidden) figures() }, 1000)
  model.on("pair", draw)
  model.on("remove", () => { stop?.(); stopSight(); clearInterval(clock) })
  draw()
  return root
}
