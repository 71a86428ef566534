// A marked term opens its definition where it stands: by click, touch, Enter, Space or the mouse resting on it; Escape closes it.
// Without this script, or in a browser without popovers, the term is a link to the glossary.
(() => {
  const terms = /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll("a.term"));
  if (!terms.length || !("showPopover" in HTMLElement.prototype)) return;
  const said = document.createElement("div");
  said.className = "visually-hidden";
  said.setAttribute("role", "status");
  document.body.append(said);

  /** @type {{term: HTMLElement, note: HTMLElement, pinned: boolean} | null} */
  let open = null;
  let timer = 0;

  /** @param {HTMLElement} term @returns {HTMLElement | null} the definition of a term */
  const noteOf = (term) => document.getElementById(`note-${(term.getAttribute("href") || "").split("#term-")[1]}`);

  const close = () => {
    clearTimeout(timer);
    if (!open) return;
    const { term, note } = open;
    open = null;
    if (note.contains(document.activeElement)) term.focus();
    note.hidePopover();
    term.setAttribute("aria-expanded", "false");
    said.textContent = "";
  };

  /** @param {HTMLElement} term @param {HTMLElement} note puts the definition below its term, above it where there is no room */
  const place = (term, note) => {
    const at = term.getClientRects()[0];
    const wide = document.documentElement.clientWidth;
    const left = Math.max(8, Math.min(at.left, wide - note.offsetWidth - 8));
    const below = at.bottom + note.offsetHeight + 8 < innerHeight || at.top < note.offsetHeight + 8;
    const top = below ? at.bottom + 4 : at.top - note.offsetHeight - 4;
    note.style.left = `${left + scrollX}px`;
    note.style.top = `${top + scrollY}px`;
  };

  /** @param {HTMLElement} term @param {boolean} pinned true where the reader asked for it, false where the mouse only rests */
  const show = (term, pinned) => {
    const note = noteOf(term);
    if (!note) return;
    if (open && open.term === term) {
      open.pinned ||= pinned;
      return;
    }
    close();
    note.showPopover();
    place(term, note);
    term.setAttribute("aria-expanded", "true");
    open = { term, note, pinned };
    if (pinned) said.textContent = (note.textContent || "").trim();
  };

  /** @param {HTMLElement} box keeps the definition open while the mouse is on the term or on the definition */
  const hover = (box) => {
    box.addEventListener("pointerleave", (event) => {
      clearTimeout(timer);
      if (event.pointerType === "mouse" && open && !open.pinned) timer = setTimeout(close, 300);
    });
    box.addEventListener("pointerenter", () => clearTimeout(timer));
  };

  terms.forEach((term) => {
    const note = noteOf(term);
    if (!note) return;
    term.setAttribute("role", "button");
    term.setAttribute("aria-expanded", "false");
    term.setAttribute("aria-controls", note.id);
    term.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      if (open && open.term === term && open.pinned) close();
      else show(term, true);
    });
    term.addEventListener("keydown", (event) => {
      if (event.key === " ") {
        event.preventDefault();
        term.click();
      } else if (event.key === "Tab" && !event.shiftKey && open && open.term === term) {
        const way = note.querySelector("a");
        if (!way) return;
        event.preventDefault();
        way.focus();
      }
    });
    note.addEventListener("keydown", (event) => {
      if (event.key !== "Tab") return;
      term.focus({ preventScroll: true }); // from the term the browser goes on, or back to it
      if (event.shiftKey) event.preventDefault();
      else close();
    });
    hover(term);
    hover(note);
    term.addEventListener("pointerenter", (event) => {
      if (event.pointerType === "mouse") timer = setTimeout(show, 200, term, false);
    });
  });

  addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !open) return;
    event.preventDefault();
    close();
  });
  addEventListener("pointerdown", (event) => {
    const at = /** @type {Node} */ (event.target);
    if (open && !open.note.contains(at) && !open.term.contains(at)) close();
  });
  addEventListener("resize", () => open && place(open.term, open.note));
})();
