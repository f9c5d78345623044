// node node.js BASE_URL REQUEST_ID: the story over Node's own fetch.
import {story} from './story.js';

console.log(JSON.stringify(await story(process.argv[2], process.argv[3])));
