// In a frame on another site: the way from the one tab to the whole page.
export const offerPage = () => {
  if (!/[?&]embed=1(&|$)/.test(location.search)) return;
  document.documentElement.classList.add('gs-embed'); // once more, for a page without the first view
  const whole = new URL(location.href);
  whole.searchParams.delete('embed');
  const link = Object.assign(document.createElement('a'), {
    className: 'gs-embed-open',
    href: whole,
    target: '_blank',
    rel: 'noopener',
    textContent: 'Glyphscope ↗',
  });
  document.body.append(link);
};
