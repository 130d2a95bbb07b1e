// What a pair is called: "nova:BTC/USDT orion:BTC/USDC nova:USDC/USDT" is A, B, and the basis that turns B's currency into A's.
const instrumentOf = (name) => {
  const colon = name.indexOf(":")
  return {venue: name.slice(0, colon), symbol: name.slice(colon + 1), name}
}
const currenciesOf = ({symbol}) => symbol.split(":")[0].split("/")
const breakable = (symbol) => symbol.replace(/[/:]/g, "$&\u200b") // where a line may end that has no room for all
function pairOf(name) {
  if (!name) return null
  const [a, b, basis] = name.split(" ").map(instrumentOf)
  const isPlain = a.symbol === b.symbol
  // as few words as tell the sides apart, and all of them
  const short = isPlain || a.venue !== b.venue ? [a.venue, b.venue] : [a.symbol, b.symbol]
  const long = isPlain ? short : [a, b].map((side) => `${side.venue} ${side.symbol}`)
  return {name, a, b, basis: basis ?? null, isPlain, short, long, label: isPlain ? a.symbol : `${a.symbol} – ${b.symbol}`}
}
