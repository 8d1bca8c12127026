/* Names for the controls of the admin site that come without one. */
(function () {
  "use strict";

  function nameSelections() {
    document.querySelectorAll("select.admin-autocomplete").forEach(function (select) {
      const label = document.querySelector('label[for="' + select.id + '"]');
      const shown = select.nextElementSibling;
      if (!label || !shown) return;
      const name = label.textContent.replace(/:\s*$/, "").trim();
      shown.querySelectorAll('[role="combobox"], [role="textbox"]').forEach(function (part) {
        part.setAttribute("aria-label", name);
      });
    });
  }

  function start() {
    nameSelections();
    const search = document.getElementById("searchbar");
    if (search) search.setAttribute("aria-label", "Search");
  }

  // The selections are drawn by jQuery's ready handlers, which run in the order in which they were registered.
  if (window.django && window.django.jQuery) window.django.jQuery(start);
  else window.addEventListener("load", start);
})();
