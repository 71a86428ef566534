// The stage of a film: one figure at a time, the words below it, and a hand that moves controls by their labels.
// Every function that does something returns a sentence when it cannot, so that the tool can say it.
(() => {
  const ROOM = 540;                                       // pixels above the words
  const figureOf = (name) => document.getElementById(`stage-${name}`);
  const controls = (name) => [...figureOf(name).querySelectorAll("label[for]")].map((label) =>
    ({ label: label.textContent.trim(), input: document.getElementById(label.htmlFor) })).filter((c) => c.input);
  const quoted = (all) => (all.length ? all.map((t) => `'${t}'`).join(", ") : "none");
  const found = (name, label) => controls(name).find((c) => c.label === label) ||
    controls(name).find((c) => c.label.startsWith(label));
  const option = (input, text) => [...input.options].find((o) => o.textContent.trim() === text) ||
    [...input.options].find((o) => o.textContent.trim().startsWith(text));
  const buttons = (name) => [...figureOf(name).querySelectorAll(".nfig-live button")];
  const heard = (input, type) => input.dispatchEvent(new Event(type, { bubbles: true }));
  let running = null;

  function point(node) {
    for (const old of document.querySelectorAll(".stage-hand")) old.classList.remove("stage-hand");
    if (node) node.classList.add("stage-hand");
  }
  const painted = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));

  // A plot draws itself anew for its new width, so each size is tried for real.
  async function fit(section) {
    section.hidden = false;
    for (let zoom = 1.3; zoom > 0.4; zoom -= 0.03) {
      section.style.zoom = zoom.toFixed(2);
      await painted();
      if (section.getBoundingClientRect().height <= ROOM) break;
    }
    section.hidden = true;
  }
  const acts = {
    show: (name) => {
      for (const section of document.querySelectorAll(".stage-figure")) section.hidden = section.id !== `stage-${name}`;
      point(null);
    },
    move: ({ figure, to }) => {
      const all = Object.entries(to).map(([label, end]) => ({ ...found(figure, label), end }));
      running = all.map(({ input, end }) => ({ input, start: +input.value, end }));
      point(all[0].input.closest(".nfig-row"));
    },
    choose: ({ figure, control, to }) => {
      const { input } = found(figure, control);
      if (input.type === "checkbox") input.checked = to;
      else input.value = option(input, to).value;
      heard(input, "change");
      point(input.closest(".nfig-row"));
    },
    press: ({ figure, button }) => {
      const pressed = buttons(figure).find((b) => b.textContent.trim().startsWith(button));
      pressed.click();
      point(pressed);
    },
  };
  const checks = {
    show: () => "",
    move: ({ figure, to }) => Object.entries(to).map(([label, end]) => {
      const sliders = controls(figure).filter((c) => c.input.type === "range").map((c) => c.label), control = found(figure, label);
      if (!control || control.input.type !== "range") return `${figure}: slider expected one of ${quoted(sliders)}, got '${label}'`;
      const { min, max } = control.input;
      return end < +min || end > +max ? `${figure}, ${label}: expected a value from ${min} to ${max}, got ${end}` : "";
    }).find(Boolean) || "",
    choose: ({ figure, control, to }) => {
      const which = controls(figure).filter((c) => c.input.type === "checkbox" || c.input.options), it = found(figure, control);
      if (!it || !which.some((c) => c.label === it.label))
        return `${figure}: list or box expected one of ${quoted(which.map((c) => c.label))}, got '${control}'`;
      if (it.input.type === "checkbox") return typeof to === "boolean" ? "" : `${figure}, ${control}: expected true or false, got '${to}'`;
      const options = [...it.input.options].map((o) => o.textContent.trim());
      return option(it.input, String(to)) ? "" : `${figure}, ${control}: expected one of ${quoted(options)}, got '${to}'`;
    },
    press: ({ figure, button }) => {
      const texts = buttons(figure).map((b) => b.textContent.trim());
      return texts.some((t) => t.startsWith(button)) ? "" : `${figure}: button expected one of ${quoted(texts)}, got '${button}'`;
    },
  };
  const first = (action) => Object.entries(action)[0];
  window.stage = {
    fit: async () => {
      for (const section of document.querySelectorAll(".stage-figure")) section.hidden = true;
      for (const section of document.querySelectorAll(".stage-figure")) await fit(section);
    },
    check: (action) => { const [kind, what] = first(action); return checks[kind](what); },
    act: (action) => {
      const [kind, what] = first(action);
      running = null;
      const name = kind === "show" ? what : what.figure;
      if (figureOf(name).hidden) acts.show(name);
      acts[kind](what);
    },
    // Brings the sliders on their way to where they are at a share of the time, slow at both ends. Says whether any moved.
    along: (share) => {
      const t = share * share * (3 - 2 * share);
      return (running || []).map(({ input, start, end }) => {
        const before = input.value;
        input.value = start + t * (end - start);
        if (input.value === before) return false;
        heard(input, "input");
        return true;
      }).some(Boolean);
    },
    say: (who, words) => {
      document.getElementById("stage-who").textContent = who;
      document.getElementById("stage-words").textContent = words;
      document.getElementById("stage-strip").className = who.toLowerCase();
    },
  };
})();
