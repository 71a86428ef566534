// Search results with excerpts: Sphinx finds and ranks, this shows. The texts come from searchtexts.js, so it works from file:// too.
(() => {
  /** @typedef {[anchor: string, heading: string, text: string]} Section */
  const BEFORE = 70, LENGTH = 240;

  /** @param {string} text @param {string[]} words @returns {number} where the first of the words stands at a word's beginning, or -1 */
  const firstOf = (text, words) => {
    const low = text.toLowerCase();
    let best = -1;
    for (const word of words) {
      for (let i = low.indexOf(word); i >= 0; i = low.indexOf(word, i + 1)) {
        if (i > 0 && /[\p{L}\p{N}]/u.test(low[i - 1])) continue;
        if (best < 0 || i < best) best = i;
        break;
      }
    }
    return best;
  };

  /**
   * The part of a text around the words as they stand, else around the first of them, cut between words.
   * @param {string} text @param {string[]} words @returns {string}
   */
  const excerpt = (text, words) => {
    const phrase = firstOf(text, [words.join(" ")]);
    const at = Math.max(phrase < 0 ? firstOf(text, words) : phrase, 0);
    let from = Math.max(at - BEFORE, 0);
    if (from > 0) from = text.indexOf(" ", from) + 1;
    let to = Math.min(from + LENGTH, text.length);
    if (to < text.length) to = text.lastIndexOf(" ", to);
    return (from > 0 ? "… " : "") + text.slice(from, to).trim() + (to < text.length ? " …" : "");
  };

  /**
   * The section to show of a page: the one that was found, else the first that holds most of the words, and the words as they stand.
   * @param {Section[]} sections @param {string} anchor @param {string[]} words @returns {Section}
   */
  const sectionFor = (sections, anchor, words) => {
    const named = sections.find((s) => s[0] === anchor);
    if (anchor && named) return named;
    const wanted = [...words, words.join(" ")];
    const held = (/** @type {Section} */ s) => wanted.filter((w) => firstOf(`${s[1]} ${s[2]}`, [w]) >= 0).length;
    return sections.reduce((best, s) => (held(s) > held(best) ? s : best), sections[0]);
  };

  /** @param {HTMLElement} box @param {string} text @param {string[]} words writes a text with the words marked */
  const marked = (box, text, words) => {
    for (let at = firstOf(text, words); at >= 0; at = firstOf(text, words)) {
      const length = (/^[\p{L}\p{N}_-]+/u.exec(text.slice(at)) || [" "])[0].length;
      const hit = document.createElement("mark");
      hit.textContent = text.slice(at, at + length);
      box.append(text.slice(0, at), hit);
      text = text.slice(at + length);
    }
    box.append(text);
  };

  /** @param {string} markup @returns {string} a title of Sphinx' index as text */
  const asText = (markup) => new DOMParser().parseFromString(markup, "text/html").body.textContent || "";

  const isTest = typeof document === "undefined";
  /** @type {any} */ (globalThis).siteSearch = { excerpt, sectionFor, firstOf };
  if (isTest) return;

  const texts = /** @type {Record<string, Section[]>} */ (/** @type {any} */ (window).searchTexts || {});
  // @ts-expect-error Sphinx' searchtools.js declares it
  const search = /** @type {any} */ (Search);

  /** @param {any[]} found one result of Sphinx @param {string[]} words @param {string[]} stems */
  const item = ([page, title, anchor, what], words, stems) => {
    const li = document.createElement("li"), sections = texts[page];
    const section = sections && sectionFor(sections, (anchor || "").replace("#", ""), words);
    const link = li.appendChild(document.createElement("a"));
    const hash = anchor || (section?.[0] ? `#${section[0]}` : "");
    link.href = `${page}.html${hash}`;
    link.textContent = asText(title);
    const place = [];
    if (what) place.push(asText(what));
    else if (sections && !link.textContent.startsWith(sections[0][1])) place.push(sections[0][1]);
    if (!what && section && !place.includes(section[1]) && !link.textContent.endsWith(section[1])) place.push(section[1]);
    if (place.length) {
      const where = li.appendChild(document.createElement("span"));
      where.className = "search-where";
      where.textContent = ` · ${place.join(", ")}`;
    }
    if (section?.[2]) {
      const p = li.appendChild(document.createElement("p"));
      p.className = "search-excerpt";
      const named = firstOf(section[1], [words.join(" ")]) >= 0; // what has the name is shown from its beginning
      const wanted = firstOf(section[2], words) < 0 ? stems : words;
      marked(p, excerpt(section[2], named ? [] : wanted), [...words, ...stems]);
    }
    return li;
  };

  search.query = (/** @type {string} */ query) => {
    const [asked, terms, excluded, highlight, objects] = search._parseQuery(query);
    const results = search._performSearch(asked, terms, excluded, highlight, objects).reverse();
    const words = [...(highlight.size ? highlight : terms)].filter((w) => w.length > 1);
    const stems = [...terms].filter((w) => !words.some((word) => word.startsWith(w)));
    search.stopPulse();
    search.title.textContent = "Search results";
    search.status.setAttribute("role", "status");
    const places = new Map(); // a term and its page's text lead to one place: it is shown once, where it ranks higher
    for (const li of results.map((/** @type {any[]} */ r) => item(r, words, stems))) {
      const { href } = li.querySelector("a");
      if (!places.has(href)) places.set(href, li);
    }
    search.output.append(...places.values());
    const count = places.size === 1 ? "One place" : `${places.size} places`;
    const none = `Nothing was found for “${query}”. Try fewer or other words, or look into the glossary or the index.`;
    setTimeout(() => { search.status.textContent = results.length ? `${count} found for “${query}”.` : none; }, 50);
  };
})();
