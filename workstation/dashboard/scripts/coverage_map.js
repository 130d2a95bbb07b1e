// Coverage by day and series: a cell is filled as far as its time is covered, has the number, and a colour besides.
const NEARLY = 0.95

export function render({model}) {
  const el = node
  const title = el("h3", {}, "Coverage"), unit = el("small", {}), grid = el("div", {class: "scroll", tabindex: "0"})
  const root = el("section", {class: "map", "aria-label": "Coverage by time and series"},
    el("div", {class: "head"}, title, unit), grid,
    el("p", {class: "legend"}, "A cell is filled as far as its time is covered, in percent; 100 is said of what is whole. Press a name for its gaps."))
  let names = []

  function draw() {
    const {period, heads, lines} = model.told
    root.hidden = !lines.length
    unit.textContent = `by ${period}, %`
    names = lines.map(([name]) => [name, el("button", {type: "button", class: "name", title: name,
      onclick: () => model.send_msg({choose: name})}, name)])
    grid.replaceChildren(el("table", {},
      el("thead", {}, el("tr", {}, el("th", {scope: "col"}, "Series"),
        ...heads.map((label, at) => el("th", {scope: "col", title: label}, shortOf(label, heads[at - 1]))))),
      el("tbody", {}, ...lines.map(([name, cells], at) => el("tr", {},
        el("th", {scope: "row"}, names[at][1]),
        ...cells.map((one, column) => el("td", {}, one ? cell(name, heads[column], one) : null)))))))
    mark()
    requestAnimationFrame(() => { grid.scrollLeft = grid.scrollWidth }) // the newest is what one asks for first
  }
  // "2024-05-01": the day alone where the month is that of the one before
  function shortOf(label, before) {
    const parts = label.split("-")
    return parts.length === 3 && before?.startsWith(label.slice(0, 8)) ? parts[2] : parts.length === 3 ? label.slice(5) : label
  }
  function cell(name, label, [coverage, rows, words]) {
    const level = coverage >= 1 ? "whole" : coverage >= NEARLY ? "nearly" : "poor"
    const told = `${name}, ${label}: ${words} % covered, ${figure(rows, 0)} rows`
    const made = el("div", {class: `cell ${level}`, title: told, role: "img", "aria-label": told}, el("span", {}, words))
    made.style.setProperty("--share", `${coverage * 100}%`)
    return made
  }
  const mark = () => names.forEach(([name, button]) => button.setAttribute("aria-pressed", String(name === model.chosen)))

  model.on("told", draw)
  model.on("chosen", mark)
  draw()
  return root
}
