// What is wider than the page (a formula, a table, code) scrolls in itself; only then may the keyboard stop at it.
// Each box is measured when the reader comes near: measuring all of them at once would lay out the whole chapter.
(() => {
  const near = new Set();
  const measure = (box) => {
    const wide = box.scrollWidth > box.clientWidth + 1 || (box.matches("pre") && box.scrollHeight > box.clientHeight + 1);
    if (wide) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  };
  const again = () => near.forEach(measure);
  const watch = new IntersectionObserver((seen) => seen.forEach(({ target, isIntersecting }) => {
    if (!isIntersecting) return near.delete(target);
    near.add(target);
    measure(target);
  }), { rootMargin: "800px" });
  const boxes = "div.math, .bd-article table, .pst-scrollable-table-container, .bd-article pre, .cell_output > .output, .plot-box";
  document.querySelectorAll(boxes).forEach((box) => watch.observe(box));
  addEventListener("resize", again);
  if (document.fonts) document.fonts.ready.then(again);
})();

// A link into a chapter: what lies above the place takes its real height only now, so keep to it for a second, or until the reader moves.
(() => {
  let left = 0;
  const step = () => {
    const place = left-- > 0 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!place) return;
    place.scrollIntoView();
    requestAnimationFrame(step);
  };
  const keep = () => { left = 60; step(); };
  ["wheel", "touchstart", "pointerdown", "keydown"].forEach((k) => addEventListener(k, () => { left = 0; }, { passive: true }));
  addEventListener("hashchange", keep);
  addEventListener("load", keep);
})();
