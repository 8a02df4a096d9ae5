(function () {
  "use strict";
  var tip = document.getElementById("tip");
  function mark(event) {
    var node = event.target.closest ? event.target.closest("svg [aria-label]") : null;
    if (!node) return null;
    var role = node.getAttribute("aria-roledescription") || "";
    return /axis|legend|title|group/.test(role) || node.getAttribute("aria-label").indexOf("|") < 0 ? null : node;
  }
  document.addEventListener("pointermove", function (event) {
    var node = mark(event);
    if (!node) { tip.hidden = true; return; }
    var lines = node.getAttribute("aria-label").split("|");
    tip.textContent = "";
    lines.forEach(function (line, number) {
      var row = document.createElement(number ? "div" : "b");
      row.textContent = line;
      tip.appendChild(row);
    });
    tip.hidden = false;
    var left = Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 8);
    var above = event.clientY - tip.offsetHeight - 12;
    tip.style.left = Math.max(8, left) + "px";
    tip.style.top = (above < 8 ? event.clientY + 16 : above) + "px";
  });
  var box = document.getElementById("filter");
  if (box) {
    var rows = Array.prototype.slice.call(document.querySelectorAll("#inputs tbody tr"));
    box.addEventListener("input", function () {
      var word = box.value.toLowerCase(), shown = 0;
      rows.forEach(function (row) {
        var hit = row.textContent.toLowerCase().indexOf(word) >= 0;
        row.hidden = !hit;
        shown += hit ? 1 : 0;
      });
      document.getElementById("matches").textContent = word ? shown + " of " + rows.length : "";
    });
  }
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details").forEach(function (item) { item.open = true; });
  });
})();
