// Predict, then reveal: the reader commits to a guess; the answer, once opened, says how the guess stands to it.
import { button, status } from "./parts.js";

/**
 * What is said of a guess.
 * @param {string} guess  the reader's, "" for none
 * @param {string} right
 * @param {boolean} open  whether the answer is shown
 */
export function said(guess, right, open) {
  if (!guess) return "";
  if (!open) return "Your prediction is noted. Try it in the figure, then open the answer.";
  return guess === right ? `You predicted “${guess}”: so it is.` : `You predicted “${guess}”. It is “${right}”: read why.`;
}

// Turns the list of guesses under a figure into buttons; without JavaScript it stays a list.
export function predictions(figure) {
  const list = figure.querySelector(".nfig-guesses"), answer = figure.querySelector(".nfig-answer");
  if (!list || !answer || list.querySelector("button")) return;
  const texts = [...list.children].map((item) => item.textContent), right = texts[+list.dataset.right], say = status("nfig-guess");
  let guess = "";
  const tell = () => { say.textContent = said(guess, right, answer.open); };
  const buttons = texts.map((text) => button(text, () => {
    guess = text;
    buttons.forEach((b, i) => b.setAttribute("aria-pressed", String(texts[i] === guess)));
    tell();
  }, { "aria-pressed": "false" }));
  list.querySelectorAll("li").forEach((item, i) => item.replaceChildren(buttons[i]));
  list.after(say);
  answer.addEventListener("toggle", tell);
}
