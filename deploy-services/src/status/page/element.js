"use strict";
// Everything on the page is built here: text becomes a text node, never markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "width%") element.style.width = `${value}%`;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return element;
}

function h(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function s(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

const byId = (id) => document.getElementById(id);

// Whoever is on a button with the keyboard stays there when it is drawn anew.
function redraw(parent, ...children) {
  const focused = document.activeElement && document.activeElement.id;
  parent.replaceChildren(...children.flat());
  if (focused && byId(focused) !== document.activeElement) byId(focused)?.focus();
}

const two = (number) => String(number).padStart(2, "0");

// In UTC, as in the journal and on the command line.
function clock(time, seconds) {
  const at = new Date(time);
  const text = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
  return seconds ? `${text}:${two(at.getUTCSeconds())}` : text;
}

function number(value, unit) {
  const size = Math.abs(value);
  const text = size >= 10000 ? `${Number((value / 1000).toPrecision(3))}k` : String(Number(value.toPrecision(size < 1 ? 2 : 4)));
  return unit ? `${text} ${unit}` : text;
}
