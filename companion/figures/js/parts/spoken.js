// Formulas in words: TeX is read into atoms, and a table of rules says each of them.

const GREEK = new Set(("alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi omega " +
  "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega").split(" "));
const WORDS = {
  "+": "plus", "-": "minus", "−": "minus", "=": "equals", "<": "is less than", ">": "is greater than", "/": "over", "!": "factorial", "*": "star",
  ":": ":", ",": ",", ";": ";", ".": ",", "…": "and so on", "%": "percent", "|": "given", "&": ",", "'": "prime", "~": "",
  ge: "is at least", geq: "is at least", le: "is at most", leq: "is at most", ne: "is not", neq: "is not", ll: "is much less than",
  gg: "is much greater than", approx: "is about", sim: "is distributed as", equiv: "is the same as", propto: "is proportional to",
  leftarrow: "becomes", gets: "becomes", to: "to", rightarrow: "to", mapsto: "goes to", Rightarrow: "implies", implies: "implies", iff: "if and only if",
  pm: "plus or minus", mp: "minus or plus", times: "times", ast: "star", odot: "times, entry by entry,", otimes: "outer product with", oplus: "plus, bit by bit,",
  in: "in", ni: "contains", subset: "within", cup: "union", cap: "and also in", setminus: "without", mid: "given", colon: ":", forall: "for all", exists: "there is",
  dots: "and so on", ldots: "and so on", cdots: "and so on", vdots: "and so on", infty: "infinity", partial: "partial", nabla: "the gradient of", ell: "l",
  top: "transposed", intercal: "transposed", prime: "prime", circ: "after", bullet: "dot", varphi: "phi", varepsilon: "epsilon", vartheta: "theta", emptyset: "the empty set",
  qquad: ",", quad: ",", "\\": ";", "%%": "percent", "{": "open brace", "}": "close brace", lbrace: "open brace", rbrace: "close brace", "#": "number",
  langle: "open angle", rangle: "close angle", lfloor: "rounded down:", rfloor: "", lceil: "rounded up:", rceil: "", _: "underscore", $: "dollar",
};
// What takes an argument: the words before it. The first list is of functions with a bracket, the second of operators.
const FUNCTIONS = { ln: "the natural logarithm of", log: "the logarithm of", exp: "e to the power of", sin: "the sine of", cos: "the cosine of", tan: "the tangent of",
  tanh: "tanh of", sinh: "sinh of", cosh: "cosh of", det: "the determinant of", dim: "the dimension of", Pr: "the probability of", arg: "the argument of" };
const OVER = { sum: "the sum", prod: "the product", max: "the largest", min: "the smallest", argmax: "the place of the largest", argmin: "the place of the smallest",
  lim: "the limit", int: "the integral", sup: "the upper limit", inf: "the lower limit", bigcup: "the union" };
const ACCENTS = { hat: "hat", widehat: "hat", tilde: "tilde", widetilde: "tilde", bar: "bar", overline: "bar", vec: "vector", dot: "dot", ddot: "double dot" };
const PLAIN = new Set(["mathbf", "mathrm", "mathit", "boldsymbol", "bm", "mathcal", "mathsf", "mathtt", "displaystyle", "textstyle", "limits", "nolimits", "boxed", "overbrace"]);
const SILENT = new Set([",", ";", ":", "!", " ", "left", "right", "big", "bigl", "bigr", "Big", "Bigl", "Bigr", "bigg", "biggl", "biggr", "middle", "thinspace", "nonumber", "notag"]);
const DOUBLE = { R: "the real numbers", N: "the natural numbers", Z: "the whole numbers", E: "the expected value of", P: "the probability of", V: "the variance of" };
const HALVES = { "1/2": "one half", "1/3": "one third", "2/3": "two thirds", "1/4": "one quarter", "3/4": "three quarters" };
const APPLIED = new Set(["f", "g", "sigma", "Phi", "varphi", "phi", "psi"]);
const VECTORS = new Set(["w", "x", "u", "v"]);
const TWO = new Set(["frac", "tfrac", "dfrac", "binom"]);
const TEXTS = new Set(["text", "textbf", "textit", "mbox", "operatorname", "textrm", "texttt"]);

/** The commands of a formula that no rule knows; a test wants none in the course. */
export function unknownIn(tex) {
  const known = (name) => name in WORDS || name in FUNCTIONS || name in OVER || name in ACCENTS || GREEK.has(name) || PLAIN.has(name) ||
    SILENT.has(name) || TWO.has(name) || TEXTS.has(name) || ["sqrt", "cdot", "lVert", "rVert", "lvert", "rvert", "Vert", "mathbb", "underbrace", "begin", "end"].includes(name);
  return (tex.match(/\\([a-zA-Z]+|.)/g) ?? []).map((c) => c.slice(1)).filter((name) => !known(name));
}

// Into tokens: {c: command} or {t: text}; a number is one token.
function tokens(tex) {
  return (tex.match(/\\[a-zA-Z]+|\\.|\d+(?:\.\d+)?|\S/gu) ?? []).map((t) => (t.length > 1 && t[0] === "\\" ? { c: t.slice(1) } : { t }));
}

// Atoms: {say, kind, base, sub, sup, inner}. A bracket is one atom that holds its inside.
function parser(list, raw) {
  let at = 0;
  const peek = () => list[at], is = (t) => peek()?.t === t, cmd = (c) => peek()?.c === c;
  function group() {
    if (!is("{")) {
      if (/^\d\d/.test(peek()?.t ?? "")) list.splice(at, 1, { t: peek().t[0] }, { t: peek().t.slice(1) }); // \frac12 is a half
      return at < list.length ? [atom()].filter(Boolean) : [];
    }
    at += 1;
    const inner = until(() => is("}"));
    at += 1;
    return inner;
  }
  function until(done) {
    const found = [];
    while (at < list.length && !done()) {
      const one = scripted();
      if (one) found.push(one);
    }
    return found;
  }
  function scripted() {
    const base = atom();
    if (!base) return null;
    for (;;) {
      if (is("_")) { at += 1; base.sub = group(); }
      else if (is("^")) { at += 1; base.sup = group(); }
      else if (is("'")) { at += 1; base.primes = (base.primes ?? 0) + 1; }
      else if (cmd("limits")) at += 1;
      else return base;
    }
  }
  const written = () => raw.shift() ?? "";            // \text{...}: tokens know no spaces, so its words come from the source
  function fenced(end, kind) {
    const inner = until(end);
    at += 1;
    return { kind, inner };
  }
  function atom() {
    const { c, t } = list[at++];
    if (c === undefined) {
      if (t === "{") { at -= 1; return { kind: "group", inner: group() }; }
      if (t === "(" || t === "[") {
        const bracket = fenced(() => is(")") || is("]"), "bracket");
        return { ...bracket, open: t, close: list[at - 1]?.t };
      }
      if (t === "|" && list.slice(at).some((x) => x.t === "|")) return fenced(() => is("|"), "absolute");
      if (/^\d/.test(t)) return { kind: "number", base: t, say: t };
      if (/^\p{L}/u.test(t)) return { kind: "letter", base: t, say: t };
      return { kind: "sign", base: t, say: WORDS[t] ?? "" };
    }
    if (SILENT.has(c)) { if (c === "left" || c === "right") skipDot(); return null; }
    if (TWO.has(c)) return { kind: "fraction", top: group(), bottom: group() };
    if (c === "sqrt") return { kind: "root", inner: group() };
    if (c in ACCENTS) return { kind: "accent", inner: group(), say: ACCENTS[c] };
    if (TEXTS.has(c)) { const say = written(); return { kind: c === "operatorname" ? "function" : "text", base: say, say: c === "operatorname" ? say + " of" : say }; }
    if (c === "lVert" || c === "Vert") return fenced(() => cmd("rVert") || cmd("Vert"), "norm");
    if (c === "lvert") return fenced(() => cmd("rvert"), "absolute");
    if (c === "underbrace" || c === "overbrace") return { kind: "brace", inner: group() };
    if (c === "mathbb") { const [inner] = group(); return { kind: "letter", base: inner?.base, say: DOUBLE[inner?.base] ?? inner?.base }; }
    if (PLAIN.has(c)) return is("{") ? { kind: "group", inner: group() } : null;
    if (c === "begin") return table();
    if (c === "cdot") return { kind: "dot", say: "times" };
    if (c in FUNCTIONS) return { kind: "function", base: c, say: FUNCTIONS[c] };
    if (c in OVER) return { kind: "over", base: c, say: OVER[c] };
    if (GREEK.has(c)) return { kind: "letter", base: c, say: /^[A-Z]/.test(c) ? "capital " + c.toLowerCase() : c };
    const letter = ["varphi", "varepsilon", "vartheta", "ell"].includes(c);
    return { kind: letter ? "letter" : c === "infty" ? "number" : "sign", base: c, say: WORDS[c] ?? c };
  }
  function skipDot() { if (is(".")) at += 1; }
  function table() {
    const name = group().map((a) => a.base).join("");
    const inner = until(() => cmd("end"));
    at += 1;
    group();
    return { kind: name === "cases" ? "cases" : "rows", inner, say: /matrix|array/.test(name) ? "the matrix with rows " : "" };
  }
  return () => until(() => false);
}

const isShort = (list) => list.length === 1 && ["letter", "number", "accent"].includes(list[0].kind) && !list[0].sup;
const isSigned = (list) => isShort(list.filter((a, i) => i || !["-", "+", "−"].includes(a.base)));
const POWERS = { 2: "squared", 3: "cubed", T: "transposed", top: "transposed", prime: "prime" };

function power(sup) {
  const [one] = sup;
  if (sup.length === 1 && POWERS[one.base] && !one.sup && !one.sub) return POWERS[one.base];
  return "to the power of " + say(sup) + (isSigned(sup) ? "" : ",");
}

const scripts = ({ sub, sup, primes }) => (primes ? " prime".repeat(primes) : "") + (sub ? ` sub ${say(sub)}` : "") + (sup ? ` ${power(sup)}` : "");

function fraction({ top, bottom }) {
  const half = HALVES[`${top[0]?.base}/${bottom[0]?.base}`];
  if (half && top.length === 1 && bottom.length === 1) return half;
  const derived = top[0]?.base === "partial" && bottom[0]?.base === "partial";
  if (derived) return `the partial derivative of ${say(top.slice(1))} with respect to ${say(bottom.slice(1))}`;
  return isSigned(top) && isSigned(bottom) ? `${say(top)} over ${say(bottom)}` : `the fraction ${say(top)}, over ${say(bottom)}, end of fraction,`;
}

function over({ base, say: words, sub, sup }) {
  const from = sub ? say(sub) : "", parts = /^(.*?) (equals|to) (.*)$/.exec(from);
  if (base === "lim" || !from) return `${words} of`;
  if (parts && sup) return `${words} over ${parts[1]} from ${parts[3]} to ${say(sup)} of`;
  return `${words} over ${from} of`;
}

function bracket(atom, before) {
  const { inner, open, close } = atom, words = say(inner), comma = inner.some((a) => a.base === ",");
  if (comma && (open === "[" || close === "]" || inner.some((a) => a.base === "infty"))) return `the interval from ${words.replace(" ,", " to").replace(",", " to")}`;
  if (takes(before, inner)) return isSigned(inner) || comma || inner.every((a) => ["letter", "number"].includes(a.kind)) ? words : `open bracket ${words} close bracket`;
  return `open bracket ${words} close bracket`;
}

// Is a bracket the argument of what stands before it? sigma(1 - sigma) is a product: the function itself stands inside.
function takes(before, inner) {
  if (!before) return false;
  if (before.kind === "function" || before.kind === "over") return true;
  return before.kind === "letter" && APPLIED.has(before.base) && !inner.some((a, i) => a.base === before.base && inner[i + 1]?.kind !== "bracket");
}

function rows(inner, saying) {
  const found = [[]];
  for (const a of inner) { if (a.base === "\\") found.push([]); else found.at(-1).push(a); }
  return found.filter((r) => r.length).map(saying).join("; ");
}

function branch(row) {
  const cut = row.findIndex((a) => a.base === "&");
  return cut < 0 ? say(row) : `${say(row.slice(0, cut))} if ${say(row.slice(cut + 1))}`;
}

function one(atom, before, after) {
  const tail = scripts(atom);
  switch (atom.kind) {
    case "group": return say(atom.inner) + tail;
    case "fraction": return fraction(atom) + tail;
    case "root": return `the square root of ${say(atom.inner)}${isShort(atom.inner) ? "" : ","}` + tail;
    case "accent": return `${say(atom.inner)} ${atom.say}` + tail;
    case "norm": return `the length of ${say(atom.inner)}${isShort(atom.inner) ? "" : ","}` + tail;
    case "absolute": return `the absolute value of ${say(atom.inner)}` + tail;
    case "brace": return say(atom.inner) + (atom.sub ? `, which is ${say(atom.sub)},` : "");
    case "bracket": return bracket(atom, before) + tail;
    case "cases": return rows(atom.inner, branch);
    case "rows": return atom.say + rows(atom.inner, say);
    case "over": return over(atom);
    case "dot": return VECTORS.has(after?.base) && !isNumber(before) ? "dot" : "times";
    case "function": return atom.say.replace(/ of$/, "") + tail + (after && after.kind !== "sign" ? " of" : "");
    case "letter": return atom.say + tail + (after?.kind === "bracket" && takes(atom, after.inner) ? " of" : "");
    default: return (atom.base === "-" || atom.base === "−") && before?.kind === "sign" && before.base === "," ? "minus" : atom.say + tail;
  }
}

const isNumber = (atom) => atom?.kind === "number" || (atom?.kind === "bracket" && isNumber(atom.inner[0]));

function say(list) {
  return list.map((atom, i) => one(atom, list[i - 1], list[i + 1])).join(" ").replace(/\s+/g, " ").replace(/ ([,;:])/g, "$1").replace(/([,;])(?:\s*[,;])+/g, "$1").trim();
}

/**
 * Say a formula in words.
 * @param {string} tex
 * @returns {string}
 */
export function spoken(tex) {
  const texts = [], named = new RegExp(`\\\\(${[...TEXTS].join("|")})\\s*\\{([^{}]*)\\}`, "g");
  const bare = tex.replace(named, (_, command, words) => { texts.push(words.trim()); return `\\${command} `; });
  return say(parser(tokens(bare), texts)()).replace(/[,;]$/, "");
}
