// A formula that is wider than the page scrolls in itself; only then may the keyboard stop at it.
(() => {
  const mark = () => document.querySelectorAll("div.math, .bd-article table").forEach((box) => {
    if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  });
  mark();
  addEventListener("resize", mark);
  if (document.fonts) document.fonts.ready.then(mark);
})();
