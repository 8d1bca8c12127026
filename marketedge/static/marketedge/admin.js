/* Names for the controls of the admin site that come without one, the time zone of whoever works there, the way to
   what is wrong in a form, and buttons that copy. */
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

  // The zone in which times are shown and typed, from the next page on; each form carries its own.
  function tellZone() {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const secure = location.protocol === "https:" ? "; Secure" : "";
    if (zone) document.cookie = "editors_zone=" + zone + "; Path=/admin/; Max-Age=31536000; SameSite=Lax" + secure;
  }

  // Whoever has to mend something begins where it is.
  function goToFirstFault() {
    const field = document.querySelector('#content-main [aria-invalid="true"]:not([type="hidden"])');
    if (!field) return;
    const folded = field.closest("details");
    if (folded) folded.open = true;
    field.focus();
  }

  // Only where the browser lets pages copy; the field can be copied from by hand everywhere.
  function offerCopies() {
    if (!navigator.clipboard) return;
    document.querySelectorAll("button[data-copies]").forEach(function (button) {
      const field = document.getElementById(button.dataset.copies);
      const told = document.getElementById(button.dataset.copies + "-copied");
      button.hidden = false;
      button.addEventListener("click", function () {
        navigator.clipboard.writeText(field.value).then(
          function () { told.textContent = "Copied."; },
          function () { field.select(); told.textContent = "Not copied: the browser refuses it. Copy what is marked."; }
        );
      });
    });
  }

  function start() {
    tellZone();
    nameSelections();
    goToFirstFault();
    offerCopies();
    const search = document.getElementById("searchbar");
    if (search) search.setAttribute("aria-label", "Search");
  }

  // The selections are drawn by jQuery's ready handlers, which run in the order in which they were registered.
  if (window.django && window.django.jQuery) window.django.jQuery(start);
  else window.addEventListener("load", start);
})();
