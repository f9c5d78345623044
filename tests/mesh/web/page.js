// The page's program; its address says where to call: ?base=…&request=…
import {story} from './story.js';

const asked = new URLSearchParams(location.search);
window.told = story(asked.get('base'), asked.get('request'));
