import { mount } from 'svelte';
import Inbox from './Inbox.svelte';
import '../styles/tokens.css';
import './inbox.css';

const target = document.getElementById('inbox');
if (target) mount(Inbox, { target });
