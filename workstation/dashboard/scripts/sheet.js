// A sheet of facts: groups of names and values, and lines of words. Everything becomes a text node.
export function render({model}) {
  const el = (tag, attributes, ...children) => node(tag, attributes, ...children)
  const words = el("div", {class: "words"}), groups = el("div", {class: "groups"})
  const root = el("div", {class: "sheet"}, words, groups)

  const part = (one) => {
    if (!Array.isArray(one)) return one
    const [kind, text] = one
    if (kind === "id") return idOf(text)
    return el(kind === "b" ? "b" : "span", {class: kind}, text)
  }
  function idOf(text) {
    const button = el("button", {type: "button", class: "id", title: `Copy ${text}`}, text)
    button.addEventListener("click", async () => {
      await navigator.clipboard?.writeText(text)
      button.classList.add("copied")
      setTimeout(() => button.classList.remove("copied"), 900)
    })
    return button
  }
  function tell() {
    words.replaceChildren(...(model.heading ? [el("h2", {}, model.heading)] : []),
      ...model.lines.map((line) => el("p", {}, ...line.map(part))))
  }
  function draw() {
    groups.replaceChildren(...model.groups.map(([name, rows]) => el("section", {}, el("h3", {}, name),
      el("dl", {}, ...rows.map(([label, value]) => el("div", {}, el("dt", {}, label), el("dd", {}, part(value))))))))
  }
  model.on("heading", tell)
  model.on("lines", tell)
  model.on("groups", draw)
  tell()
  draw()
  return root
}
