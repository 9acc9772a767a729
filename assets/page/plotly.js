// Plotly comes when the first interactive figure is near the window, once for all of them.
let loading = null;

const load = () =>
  new Promise((done, failed) => {
    const script = document.createElement('script');
    script.src = 'gs/plotly.min.js';
    script.onload = () => done(window.Plotly); // the one global that is there: Plotly's own script makes it
    script.onerror = failed;
    document.head.append(script);
  });

export const plotly = () => {
  loading ??= load();
  return loading;
};

export const whenSeen = (element, act) => {
  const observer = new IntersectionObserver(
    (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      act();
    },
    { rootMargin: '400px' },
  );
  observer.observe(element);
};

// A colour of the page, by the name of its custom property: Plotly knows no `var(…)`.
export const colourOf = (element, name) =>
  getComputedStyle(element.querySelector('.gs-panel')).getPropertyValue(name).trim();
