// What the server gave the scripts (`head_html` in Python): its start, what stands in which tab, and their sentences
// in all languages.
const { boot, tabs, slides, said } = JSON.parse(document.querySelector('#gs-page').textContent);

export { boot, slides, tabs };

export const language = () => document.querySelector('.gs-language input:checked')?.value;

export const sentence = (name, code = language()) => said[name][code] ?? said[name].en;
